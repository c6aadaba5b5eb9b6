// The root path that DHCP option 17 and kernel parameters carry.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless {

struct RootPath {
    Ipv4 server;          // not set: whoever else is known to be the server
    std::string path;     // absolute
    std::string options;  // NFS options after it, without a leading separator
    std::string version;  // "4" for nfs4:, else empty
    bool operator==(const RootPath&) const = default;
};

/// "[nfs:|nfs4:][server:]/dir[,options|:options]", also "nfs:options:server:/dir". The server is an IPv4 address:
/// nothing resolves names that early.
Result<RootPath> parse_root_path(std::string_view text);

/// Puts the host name, or the address when there is none, in place of the first "%s" ("/srv/%s", as the kernel does).
/// A name that is not a single path component counts as none.
std::string expand_path_template(std::string_view path, std::string_view hostname, Ipv4 address);

}  // namespace diskless
