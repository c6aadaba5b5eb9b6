// /etc/exports as the kernel's NFS tools read it (exports(5)). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server-helper/check/finding.hpp"

namespace diskless::server {

struct ExportClient {
    std::string who;                   // "10.9.0.5", "10.9.0.0/16", "*", "@netgroup", "*.example.org"
    std::vector<std::string> options;  // those of the line's "-" default first, then its own

    /// Does the last of the two words that is there say so? Neither: `by_default`.
    bool says(std::string_view yes, std::string_view no, bool by_default) const;
    bool writable() const { return says("rw", "ro", false); }
    bool squashes_root() const;
};

struct ExportLine {
    int line = 0;  // from 1: where it begins
    std::string path;
    std::vector<ExportClient> clients;
};

/// What can be read; what cannot is a finding. `file` names it.
std::vector<ExportLine> parse_exports(std::string_view text, std::string_view file, Findings& findings);

/// Every address a client word stands for?
enum class ClientKind { host, network, everybody, name_pattern, address_pattern, netgroup };
ClientKind kind_of_client(std::string_view who);

}  // namespace diskless::server
