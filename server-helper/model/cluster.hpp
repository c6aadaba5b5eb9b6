// The cluster as the administrator describes it: nodes, groups and images of one tree, and what each node inherits.
//
// <base>/cluster.toml, <base>/nodes.toml and <base>/nodes/*.toml hold it; docs/diskless-server-node.8 describes them.
// Plain values: load_cluster() reads and checks everything, resolve() is pure, nothing here writes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless::server {

inline constexpr std::string_view kDefaultBase = "/srv/diskless";

/// Where something was written: for errors and warnings ("nodes.toml:12").
struct Place {
    std::string file;
    int line = 0;  // from 1; 0: not of a line
    std::string text() const;
    bool operator==(const Place&) const = default;
};

/// An NFS directory that nodes mount besides their root, by the fstab of it: one of this server is exported to them.
struct ExtraMount {
    std::string source;       // "10.9.0.1:/home", or "/home" for one of this server
    std::string mount_point;  // absolute, on the node
    std::string options;      // of NFS, "rw,hard"; empty: the defaults
    bool operator==(const ExtraMount&) const = default;
};

/// What may be said of all nodes, of a group and of a node; nothing is inherited from further out. Order of strength:
/// [defaults], then the groups of a node in its order (with their parents before them), then the node.
struct Settings {
    std::optional<std::string> image;
    std::optional<std::string> generation;   // a pin; without it the image's current one
    std::optional<std::string> kernel;       // a release of the image's ("6.1.0-31-amd64"), or a file of the tftp root
    std::optional<std::string> initramfs;    // relative to the tftp root
    std::optional<std::string> console;      // "ttyS0,115200n8"
    std::optional<std::string> root_mode;    // "ro", "rw", "overlay", "image"
    std::optional<std::string> own_root;     // a directory of this server, the node's alone; "{node}" is its name
    std::optional<std::string> nfs_options;  // of root and snapshot, "vers=4.2,rsize=1048576"
    std::optional<std::string> swap;         // "zram:50%", "/dev/sda2": as diskless.swap=; "none"
    std::optional<std::string> nis_domain;
    std::optional<std::string> interface;  // that the node boots by, "eth0"
    std::optional<std::string> snapshot;   // name below snapshots/; without it the node's
    std::vector<std::string> cmdline;      // further kernel parameters: each level's come after those it inherits
    std::vector<ExtraMount> mounts;        // by mount point: the innermost level wins
    std::map<std::string, std::string> variables;  // for files that ask for substitution; the innermost level wins
    bool operator==(const Settings&) const = default;
};

struct Group {
    std::string name;
    std::vector<std::string> groups;  // that it inherits from
    Settings settings;
    Place place;
};

struct Node {
    std::string name;  // RFC 1123 host name, without domain
    Ipv4 address;      // not set: from DHCP's pool
    Mac mac;           // not set: not known yet
    std::vector<std::string> groups;
    Settings settings;
    Place place;
};

struct Image {
    std::string name;
    std::vector<std::string> generations;  // complete ones, oldest first
    std::string current;                   // empty: nothing has been synchronised yet
    std::vector<std::string> pinned;       // generations that gc must leave
    bool record_is_bad = false;            // image.toml cannot be read: which are pinned is not known
};

struct DhcpRange {
    Ipv4 first, last;
    bool operator==(const DhcpRange&) const = default;
};

/// What is rendered, and for which server programs.
struct BootChoices {
    std::vector<std::string> loaders{"pxelinux"};  // pxelinux, grub, ipxe
    std::vector<std::string> dhcp{"dnsmasq"};      // dnsmasq, dnsmasq-proxy, isc, kea, bootptab, ethers
    std::vector<std::string> nfs{"kernel"};        // kernel (/etc/exports), ganesha
    std::string interface;                         // that the servers listen on; empty: that of the server address
    std::optional<DhcpRange> range;                // for machines that are not in the list
    std::uint32_t lease_seconds = 86400;
    std::string http_url;                // of boot/http, for UEFI HTTP boot and iPXE; empty: none
    std::vector<std::string> initramfs;  // options of "initramfs build" for what boot apply builds
};

struct Warning {
    Place place;
    std::string message;
    std::string remedy;
    std::string text() const;  // one line with its place
};

struct Cluster {
    std::string base;  // absolute
    std::string name = "diskless";
    Ipv4 server;
    Ipv4 network;
    std::uint8_t prefix = 0;  // of the network; 0: not said
    Ipv4 router;
    std::vector<Ipv4> dns, ntp;
    std::string domain;
    BootChoices boot;
    Settings defaults;
    std::vector<Node> nodes;  // in the order of the files
    std::vector<Group> groups;
    std::vector<Image> images;
    std::vector<Warning> warnings;  // unknown keys and the like: nothing that hinders

    const Node* find_node(std::string_view name) const;
    const Group* find_group(std::string_view name) const;
    const Image* find_image(std::string_view name) const;

    /// Index of `nodes` by name; load_cluster() and index_nodes() keep it. Use find_node().
    std::unordered_map<std::string, std::size_t> by_name;
    void index_nodes();
};

/// A node with everything that it inherits, nothing left to be looked up.
struct ResolvedNode {
    std::string name;
    std::string hostname;  // name without domain
    Ipv4 address;
    Mac mac;
    std::vector<std::string> groups;  // all that count, also inherited ones, outermost first, without doubles
    std::string image, generation;    // generation empty: the image has none yet
    std::string generation_path;      // on the server: <base>/images/<image>/<generation>; empty without generation
    std::string root_path;            // the same, or the node's own root, which is made from it
    bool own_root = false;
    std::string kernel, initramfs;    // relative to the tftp root
    std::string kernel_release;       // asked for; empty: the newest of the generation
    bool stages_kernel = false, stages_initramfs = false;  // boot apply puts them there, nobody else
    std::string snapshot;                                  // name below snapshots/
    std::string snapshot_path;                             // <base>/snapshots/<snapshot>
    std::string console, root_mode = "ro", nfs_options, swap, nis_domain, interface;
    std::vector<ExtraMount> mounts;
    std::map<std::string, std::string> variables;
    std::string command_line;  // complete but for BOOTIF= and initrd=, that only the boot loader knows
};

/// Does its command line name a root? Not so when its image has no generation yet, and it has no root of its own; then
/// root=dhcp or nfsroot= among its `cmdline` may still lead to one.
bool names_root(const ResolvedNode& node);

/// Is a `kernel` setting a release, "6.1.0-31-amd64", and no file? No slash, and a digit at its beginning.
bool is_kernel_release(std::string_view kernel);

/// Reads and checks the whole tree below `base`. Errors name file, line and remedy. An absent node list is an empty
/// one, until menus were made by one.
Result<Cluster> load_cluster(const std::string& base);

/// All that the node inherits; fails for a name that is not in the list and for an image that does not exist.
Result<ResolvedNode> resolve(const Cluster& cluster, std::string_view name);
Result<ResolvedNode> resolve(const Cluster& cluster, const Node& node);
/// The name of its directory below snapshots/: also of a node that cannot be resolved.
std::string snapshot_of(const Cluster& cluster, const Node& node);

/// The groups that count for a node: parents before children, each once, all of them stronger than those before.
std::vector<std::string> effective_groups(const Cluster& cluster, const Node& node);

/// Nodes of a node-set expression (node_set.hpp) that may name @groups and @all, in the order of the list, each once;
/// names that are not in the list are an error. An empty list of expressions means all nodes.
Result<std::vector<const Node*>> select_nodes(const Cluster& cluster, const std::vector<std::string>& expressions);

// ---- Places in the tree ---------------------------------------------------------------------------------------------

std::string image_path(const Cluster& cluster, std::string_view image);  // <base>/images/<image>
std::string snapshot_path(const Cluster& cluster, std::string_view snapshot);
std::string overlay_path(const Cluster& cluster, std::string_view group_or_node);
std::string boot_path(const Cluster& cluster, std::string_view rest);  // <base>/boot/<rest>
/// The remedy where there is no tree.
std::string how_to_make_tree(const std::string& base);
/// The remedy where an image is absent, or its name is mistyped.
std::string how_to_make_image(const Cluster& cluster, const std::string& name);

// ---- Names ----------------------------------------------------------------------------------------------------------

/// Letters, digits, "-", "." and "_", beginning with a letter or digit, at most 63 bytes: what is a host name, a
/// directory and a word of every dialect at once.
bool is_name(std::string_view name);
/// Can a directory that nodes mount be named so? Absolute, without what ends a word or an option of a kernel's command
/// line and of exports: blanks, commas, quotes, backslashes.
bool is_exported_path(std::string_view path);
/// A name that is a host name as well: no "_" nor ".", no "-" at the end.
bool is_node_name(std::string_view name);
/// A network interface as Linux names them: at most 15 bytes (IFNAMSIZ).
bool is_interface_name(std::string_view name);
/// Can the address be that of one network card? Not 0, broadcast nor another group's (IEEE 802, 8.2).
bool is_card_address(const Mac& mac);

}  // namespace diskless::server
