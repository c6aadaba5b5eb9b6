// Where what services print is found.
//
//   <logs>/now/ID      its last lines: "12.34 text", seconds since the kernel's start; plain text in memory
//   <logs>/before/ID   those before them
//   <logs>/pipe/ID     what the service has as its standard output and error
#pragma once

#include <cstddef>

namespace diskless {

inline constexpr const char* kServiceLogs = "/run/diskless/log";
inline constexpr std::size_t kServiceLogSize = 16 * 1024;  // bytes of each file
inline constexpr std::size_t kMostServiceLogs = 64;        // so 2 MiB at most; services beyond have the console

}  // namespace diskless
