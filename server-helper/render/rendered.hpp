// What rendering takes and gives: a site in, texts of files out. Rendering is pure: it asks no file and no clock.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "server-helper/model/cluster.hpp"

namespace diskless::server {

struct Site {
    Cluster cluster;
    std::vector<ResolvedNode> nodes;  // all of the cluster that can be resolved, in its order
    /// Exported directories whose file system has no identity of its own (tmpfs, overlayfs, FUSE): exports(5) fsid=.
    std::set<std::string, std::less<>> without_identity;
};

/// Resolves every node. Fails when one cannot be, and names the first.
Result<Site> make_site(Cluster cluster);
/// The same, without the nodes that cannot be resolved: why, for each of them, is added to `problems`.
Site make_site(Cluster cluster, std::vector<Error>& problems);

/// Nodes whose image has no generation, so that a menu of theirs would name no root: by image.
std::map<std::string, std::vector<std::string>> nodes_without_root(const Site& site);

struct RenderedFile {
    std::string path;  // below <base>/boot: "tftp/pxelinux.cfg/01-…"
    std::string content;
    std::string node;         // whose alone the file is; empty: the file describes all
    std::string link_target;  // not empty: a symbolic link, `content` is unused
};
using Rendering = std::vector<RenderedFile>;

/// First line of a rendered file, after the dialect's comment sign.
inline constexpr std::string_view kMadeBy =
    "Made by \"diskless-server boot apply\": changes are lost. Edit the node list.";

struct Dialect {
    std::string_view name;  // as --only takes it
    std::string_view help;
    Result<> (*render)(const Site& site, Rendering& out);
};

/// Every dialect, in the order in which files are installed: what points to others comes last.
const std::vector<Dialect>& dialects();
const Dialect* find_dialect(std::string_view name);

/// Names of the dialects that the cluster's choices ask for, in the order of dialects().
std::vector<std::string_view> wanted_dialects(const Cluster& cluster);

// ---- The dialects, each in the file of its name ---------------------------------------------------------------------

Result<> render_pxelinux(const Site& site, Rendering& out);
Result<> render_grub(const Site& site, Rendering& out);
Result<> render_ipxe(const Site& site, Rendering& out);
Result<> render_http(const Site& site, Rendering& out);
Result<> render_dnsmasq(const Site& site, Rendering& out);
Result<> render_dnsmasq_proxy(const Site& site, Rendering& out);
Result<> render_dhcpd(const Site& site, Rendering& out);
Result<> render_kea(const Site& site, Rendering& out);
Result<> render_bootptab(const Site& site, Rendering& out);
Result<> render_ethers(const Site& site, Rendering& out);
Result<> render_exports(const Site& site, Rendering& out);
Result<> render_ganesha(const Site& site, Rendering& out);
Result<> render_hosts(const Site& site, Rendering& out);
Result<> render_clustershell(const Site& site, Rendering& out);
Result<> render_systemd(const Site& site, Rendering& out);

}  // namespace diskless::server
