// What "serve" starts, and with which files: pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/os/local_ports.hpp"
#include "common/os/supervise.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

enum class NfsServer { none, kernel, ganesha };

struct ServeRequest {
    std::string interface;
    bool proxy = false;  // beside the site's DHCP server
    bool dhcp = true;    // and TFTP
    NfsServer nfs = NfsServer::kernel;
    std::string directory;  // for the files of this run, readable by the servers' users
};

/// What the machine has. A program that is absent is empty.
struct ServeTools {
    std::string dnsmasq, ganesha, exportfs, nfsd, mountd;
    bool kernel_nfs = false;      // nfsd is in the kernel or a module
    bool kernel_threads = false;  // it serves already
    bool mountd_runs = false;
    bool rpcbind_runs = false;
};

struct ServePlan {
    std::map<std::string, std::string> files;             // absolute path -> content
    std::vector<std::string> directories;                 // that the servers want
    std::vector<std::vector<std::string>> before, after;  // commands that end
    std::vector<ServerProcess> servers;
    std::vector<PortQuestion> ports;
    std::vector<std::string> notes;  // one line each
};

/// Which NFS server: the kernel's where it and its programs are there, else NFS-Ganesha. The error says what to
/// install.
Result<NfsServer> choose_nfs(const ServeTools& tools);

/// Fails when a program is absent or a file cannot be rendered.
Result<ServePlan> plan_serve(Site site, const ServeRequest& request, const ServeTools& tools);

inline constexpr std::string_view kServedExports = "/etc/exports.d/diskless-serve.exports";

}  // namespace diskless::server
