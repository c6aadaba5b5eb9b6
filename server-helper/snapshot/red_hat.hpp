// Red Hat's system-config-netboot layout, as its pxeos and pxeboot make it:
//
//   /tftpboot/linux-install/NAME/{vmlinuz,initrd.img}   an operating system
//   /tftpboot/linux-install/pxelinux.cfg/0A088801       a node, by its address in hexadecimal
//   LOCATION/root                                       its root, read-only for all nodes
//   LOCATION/snapshot/{files,files.custom,NODE/}        what nodes may write
//
// A tree that the originals have made is taken as it is: what is not in our own notes is read from the PXELINUX files.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/net/address.hpp"

namespace diskless::server {

inline constexpr const char* kTftpDirectory = "/tftpboot/linux-install";

struct RedHatSystem {
    std::string name;
    std::string description;
    std::string protocol = "NFS";
    bool diskless = true;
    std::string server;    // of NFS; empty: the one that the nodes boot from
    std::string location;  // holds root/ and snapshot/
    std::string kernel;    // release; empty: not known
};

struct RedHatNode {
    Ipv4 address;
    std::string system;
    std::string ramdisk_size;  // kB
    std::string snapshot;
    std::string interface;
    std::string nis_domain;
    std::string serial;  // "console=ttyS0,115200n8"
};

/// The PXELINUX file of a node, word for word as pxeboot writes it.
std::string pxelinux_text(const RedHatNode& node, const RedHatSystem& system);
/// Back from such a file; nothing when it boots no diskless system. `server` and `location` are taken from NFSROOT=.
struct RedHatEntry {
    RedHatNode node;
    std::string server, location;
};
std::optional<RedHatEntry> parse_pxelinux(std::string_view text, Ipv4 address);

/// "Description: …" and so on, as pxeos -l shows a system.
std::string describe(const RedHatSystem& system);

/// The options of one call. A value that is missing because the next option follows is empty, as in the published
/// transcripts of `pxeos … -s -L …`.
struct RedHatOptions {
    std::string flags;  // letters of those without value
    std::map<char, std::string> values;
    std::map<std::string, std::string> words;  // --name=value
    std::vector<std::string> names;            // the rest
    bool has(char flag) const { return flags.find(flag) != std::string::npos; }
    std::string value(char option) const { return values.contains(option) ? values.at(option) : ""; }
    std::string word(const std::string& name) const { return words.contains(name) ? words.at(name) : ""; }
};
Result<RedHatOptions> parse_red_hat_options(const std::vector<std::string>& arguments, std::string_view flags,
                                            std::string_view with_value);

/// Makes an initramfs: kernel release, root directory, file to write.
using MakeInitrd = std::function<Result<>(const std::string& kernel, const std::string& root, const std::string& out)>;

class RedHatTree {
  public:
    explicit RedHatTree(std::string tftp) : tftp_(std::move(tftp)) {}

    /// Kernel and initramfs into the tftp directory, LOCATION/snapshot with an empty list. What is there already and
    /// up to date stays; with `new_initrd` not the initramfs. An empty `kernel` takes the newest of the root; which one
    /// is in the result.
    Result<RedHatSystem> add_system(RedHatSystem system, const MakeInitrd& make_initrd, bool new_initrd = false);
    Result<> remove_system(const std::string& name);
    Result<std::vector<RedHatSystem>> systems() const;
    Result<RedHatSystem> system(const std::string& name) const;

    /// The node's PXELINUX file, and its snapshot where the server holds the location. Warnings for people.
    Result<std::vector<std::string>> add_node(const RedHatNode& node);
    /// The PXELINUX file only: the snapshot is data, and stays.
    Result<> remove_node(Ipv4 address);
    Result<std::vector<RedHatEntry>> nodes() const;

  private:
    std::string tftp_;
};

}  // namespace diskless::server
