// What this program keeps in a node's snapshot. Paths are from the snapshot's top.
#pragma once

namespace diskless::snapshot_files {

inline constexpr const char* kDirectory = "/.diskless";
inline constexpr const char* kBootReport = "/.diskless/boot.json";  // BootReport of the last boot
inline constexpr const char* kRunning = "/.diskless/running";       // a boot is over, and no end was told yet
inline constexpr const char* kLastShutdown = "/.diskless/last-shutdown.json";  // LastShutdown
inline constexpr const char* kClock = "/.diskless/clock";                      // seconds since 1970: for a flat battery
inline constexpr const char* kStatus = "/.diskless/status.json";               // NodeStatus, as the agent saw it last
inline constexpr const char* kRandomSeed = "/.diskless/random-seed";           // bytes for the next boot
/// Copies grow here before they are renamed into place.
inline constexpr const char* kSeed = "/.diskless/seed";
/// Directories that exist only because something beneath them was seeded, each ended by a zero byte: they are no copies
/// of the root's yet, and are filled when an entry names them.
inline constexpr const char* kScaffold = "/.diskless/scaffold";

}  // namespace diskless::snapshot_files
