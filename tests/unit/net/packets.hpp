// A DHCP server's words for tests: messages as they look on the wire, option by option.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "common/base/text.hpp"
#include "common/net/bytes.hpp"
#include "common/net/dhcp_packet.hpp"
#include "common/net/udp_packet.hpp"

namespace diskless::test {

/// "01 02 ff" -> three bytes.
inline std::string hex(std::string_view text) {
    std::string bytes;
    for (const auto word : words(text))
        for (std::size_t i = 0; i + 1 < word.size(); i += 2)
            bytes += static_cast<char>(*parse_number<std::uint8_t>(word.substr(i, 2), 16));
    return bytes;
}

inline std::string option(int code, std::string_view value) {
    return std::string{static_cast<char>(code), static_cast<char>(value.size())} + std::string(value);
}
inline std::string option(int code, Ipv4 address) {
    ByteWriter out;
    out.ipv4(address);
    return option(code, out.take());
}
inline std::string seconds_option(int code, std::uint32_t seconds) { return option(code, Ipv4(seconds)); }
inline std::string type_option(DhcpType type) { return option(53, std::string(1, static_cast<char>(type))); }

struct ServerSays {
    std::uint32_t xid = 0x11223344;
    Mac mac = *Mac::parse("52:54:00:12:34:56");
    Ipv4 address = Ipv4(10, 9, 0, 10);
    Ipv4 next_server;
    std::string options;  // after the cookie, without END
    std::string sname, file;
    bool cookie = true;
    std::uint8_t operation = 2;

    std::string payload() const {
        ByteWriter out;
        out.u8(operation);
        out.u8(1);
        out.u8(6);
        out.u8(0);
        out.u32(xid);
        out.u32(0);
        out.ipv4({});
        out.ipv4(address);
        out.ipv4(next_server);
        out.ipv4({});
        out.mac(mac);
        out.zeros(10);
        out.bytes(sname);
        out.pad_to(44 + 64);
        out.bytes(file);
        out.pad_to(44 + 64 + 128);
        if (cookie) {
            out.u32(0x63825363);
            out.bytes(options);
            out.u8(255);
        }
        out.pad_to(300);
        return out.take();
    }
};

}  // namespace diskless::test
