// Boot: what the steps of one boot find out.
//
// Each group of fields is written by the one step named above it (through StepContext::publish) and read by steps that
// need that step. Nothing else is shared between steps.
#pragma once

#include <set>

#include "common/image/manifest.hpp"
#include "common/nfs/mount_options.hpp"
#include "common/os/os.hpp"
#include "common/report/boot_report.hpp"
#include "common/state/state_plan.hpp"
#include "init/config.hpp"

namespace diskless {

struct Boot {
    // boot_main
    bool root_is_there = false;  // mounted by the kernel or another initramfs
    std::string called_as;       // argv[0]: what init= named, when the kernel started us from a root

    // read-configuration
    std::string command_line;
    BootConfig config;
    Manifest manifest;

    // load-drivers
    std::set<std::string> drivers;  // modules that were loaded for devices, or did not load

    // configure-network
    Link link;
    Lease lease;
    NfsSource root_source;  // servers (healthy ones first), path and options filled in

    // set-clock; identify, when the snapshot knows of a later time
    TimeFacts time;

    // mount-root
    RootFacts root;
    Ipv4 root_server;
    NfsVersion root_version = NfsVersion::automatic;
    NfsPorts root_ports;  // of root_server
    std::string init;     // in the new root; kProgram: this program stays PID 1
    bool init_is_systemd = false;
    // mount-image writes init, init_is_systemd and some of root again, where the root is a file
    std::string location;  // directory of the server that holds root/ and snapshot/ (Red Hat's layout), else empty

    // mount-snapshot
    SnapshotFacts snapshot;
    bool has_location_lists = false;  // kLocation is mounted

    // identify
    IdentityFacts identity;
    std::optional<LastShutdown> last_shutdown;
    std::vector<GeneratedFile> files;  // bound over the root's own by prepare-state

    // prepare-state
    std::vector<StateFacts> state;

    // The hand-over, which may be tried again: what must not be done twice.
    bool agent_started = false;
    bool root_switched = false;
};

// Where things are in RAM. /run is a tmpfs that lives as long as the node does.
inline constexpr const char* kNewRoot = "/sysroot";
inline constexpr const char* kSharedRoot = "/run/diskless/root";       // the root beneath an overlay
inline constexpr const char* kImageDirectory = "/run/diskless/image";  // of the server, where the root is a file in it
inline constexpr const char* kRunDirectory = "/run/diskless";
inline constexpr const char* kStateDirectory = "/run/diskless/state";   // volatile content of listed files
inline constexpr const char* kSnapshot = "/run/diskless/snapshot";      // the node's own directory on the server
inline constexpr const char* kLocation = "/run/diskless/location";      // lists for all nodes (Red Hat's snapshot/)
inline constexpr const char* kProgram = "/run/diskless/diskless-init";  // this program, in RAM
inline constexpr const char* kSupervise = "@supervise";  // argv[1] of PID 1 that runs the node by its inittab
inline constexpr const char* kStay = "self";             // BootConfig::init: none but this program
inline constexpr const char* kReportFile = "/run/diskless/boot.json";

}  // namespace diskless
