// The manifest of an initramfs: what the builder wrote at /etc/diskless/manifest and the node program reads at boot.
//
// A text of one fact a line, keyword first, in an order that needs no second pass:
//
//     diskless-manifest 1
//     kernel 6.1.0-31-cloud-amd64
//     built 1732012345
//     parameters ip=dhcp
//     builtin af_packet unix
//     group nfs4 nfsv4
//     module virtio_net /lib/modules/virtio_net.ko
//     needs net_failover virtio_ring
//     alias virtio:d00000001v*
//     options csum=1
//     lean 81920 77312 77504
//     tracer 2149
//
// `needs`, `alias`, `options`, `lean` (bytes, then sections) and `tracer` (see LeanForm for both) belong to the module
// above them. Module names and aliases have underscores where files have dashes. Lines that start with "#" and empty
// lines are skipped; a keyword that is unknown is an error, because builder and node program are of one version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/os/devices.hpp"

namespace diskless {

inline constexpr std::string_view kManifestPath = "/etc/diskless/manifest";

struct ModuleEntry {
    std::string name;                  // as in /proc/modules: "virtio_net"
    std::string path;                  // file in the image, absolute: "/lib/modules/virtio_net.ko"
    std::vector<std::string> needs;    // direct dependencies, soft ones that the image has included; any order
    std::vector<std::string> aliases;  // modalias globs, normalized
    std::string options;               // parameters for finit_module(2), from modprobe.d
    LeanForm lean;
    bool operator==(const ModuleEntry&) const = default;
};

/// Modules that serve one purpose, so that no other code knows module names: "nfs3", "nfs4", "packet". A built-in
/// member needs no loading; what the kernel does not have at all is left out.
struct ModuleGroup {
    std::string name;
    std::vector<std::string> modules;
    bool operator==(const ModuleGroup&) const = default;
};

struct Manifest {
    std::string kernel;      // release the modules belong to (uname -r)
    std::int64_t built = 0;  // seconds since 1970
    std::string parameters;  // default kernel parameters; the command line overrides them
    std::vector<std::string> builtin;
    std::vector<ModuleGroup> groups;
    std::vector<ModuleEntry> modules;

    /// Nothing when the image has no such module; a dash in the name is an underscore.
    const ModuleEntry* module(std::string_view name) const;
    /// Nothing when there is no such group: the kernel has none of it, neither as modules nor built in.
    const ModuleGroup* group(std::string_view name) const;
    bool is_builtin(std::string_view name) const;
    bool operator==(const Manifest&) const = default;
};

std::string to_text(const Manifest& manifest);

/// Errors name the line.
Result<Manifest> parse_manifest(std::string_view text);

/// The modules that a machine's devices ask for: `modaliases` as /sys/…/modalias has them. Each module once, in the
/// order of the manifest.
std::vector<const ModuleEntry*> modules_for(const Manifest& manifest, const std::vector<std::string>& modaliases);

/// The modules to load for `names` (modules or groups), what they need first, each once. Built-in ones, and names that
/// the image does not have, are left out. A cycle of needs is cut where it closes. Soft needs may refuse to load
/// (crc32c_intel without SSE 4.2): only what was asked for itself decides whether loading failed.
std::vector<const ModuleEntry*> load_order(const Manifest& manifest, const std::vector<std::string>& names);

/// Names of `names` that are neither a module nor built in nor a group of this image.
std::vector<std::string> missing_modules(const Manifest& manifest, const std::vector<std::string>& names);

/// Module name or alias with "_" for every "-" outside of brackets, as libkmod compares them.
std::string normalize_alias(std::string_view alias);

/// Does the whole text match? "*", "?", "[a-f0]", "[!0]" and "\" as in fnmatch(3) without flags. Takes at most
/// pattern size times text size steps.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace diskless
