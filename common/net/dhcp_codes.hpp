// Numbers of RFC 2132 and 3442 that building and parsing share.
#pragma once

#include <cstdint>

namespace diskless::dhcp {

enum Code : std::uint8_t {
    subnet_mask = 1,
    router = 3,
    dns = 6,
    log_server = 7,
    hostname = 12,
    domain = 15,
    root_path = 17,
    mtu = 26,
    nis_domain = 40,
    ntp = 42,
    requested_address = 50,
    lease_time = 51,
    message_type = 53,
    server_id = 54,
    parameter_list = 55,
    message = 56,
    max_message_size = 57,
    renew_time = 58,
    rebind_time = 59,
    vendor_class = 60,
    client_id = 61,
    tftp_server = 66,
    boot_file = 67,
    classless_routes = 121,
    end = 255,
};

constexpr std::uint32_t kMagicCookie = 0x63825363;
constexpr std::uint8_t kBootRequest = 1, kBootReply = 2;
constexpr std::size_t kSnameSize = 64, kFileSize = 128;

}  // namespace diskless::dhcp
