// Ends that come from outside: kill -9 at a chosen system call, a disk without room.
#pragma once

#include <functional>
#include <string>

namespace diskless {

enum class SuddenEnd {
    killed,
    finished,     // it made fewer changing calls than that
    untraceable,  // this machine lets no process be traced
};

/// Runs the work in a child that is killed as it enters a system call that changes something on a disk, before the call
/// is made. `at_call`: how many such calls are made before, from 0. Only the child's first thread counts.
SuddenEnd run_and_kill(const std::function<void()>& work, int at_call);

/// Calls `work` in a child whose `directory` is a tmpfs of that many bytes, empty at first and gone afterwards; with
/// what it returns (0–70). 77: no mount namespace is to be had here. 99: the child was ended by a signal.
int on_small_disk(const std::string& directory, std::size_t bytes, const std::function<int()>& work);

}  // namespace diskless
