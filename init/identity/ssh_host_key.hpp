// An ssh host key of the node's own, made without ssh-keygen: nothing but this program runs before the root switch.
#pragma once

#include <string>
#include <string_view>

namespace diskless {

struct SshHostKey {
    std::string private_file;  // OpenSSH's PROTOCOL.key format, not encrypted
    std::string public_file;   // "ssh-ed25519 AAAA… comment\n"
};

/// An Ed25519 key (RFC 8032) of a 32-byte secret seed. The same seed gives the same key.
SshHostKey make_ssh_host_key(std::string_view seed, std::string_view comment);

}  // namespace diskless
