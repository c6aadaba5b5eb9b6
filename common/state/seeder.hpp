// First copies in a node's snapshot.
//
// A copy grows in <snapshot>/.diskless/seed and is renamed into place when it is whole, so that a power cut at any
// moment leaves a whole copy or none. Nothing that is in place is ever overwritten. Directories above a copy that the
// snapshot lacks are made like the root's and remembered as scaffold (snapshot_files.hpp): when a later list names such
// a directory itself, it is filled name by name instead of being taken for a copy.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/os/files.hpp"
#include "common/state/state_plan.hpp"

namespace diskless {

class Seeder {
  public:
    Seeder(const StatePlan& plan, std::string snapshot, std::string root, Files& files);

    /// Is the entry's place in the snapshot what the plan took it for, and no symlink on the way to it?
    Result<> check(const StateEntry& entry);
    /// Makes the entry's first copy; bytes copied.
    Result<std::uint64_t> seed(const StateEntry& entry);
    /// Leaves nothing of ours behind but the scaffold's list.
    void finish();

  private:
    Result<> prepare();
    Result<std::uint64_t> place(const std::string& path, const std::string& from, CopyWhat what,
                                const StateEntry* entry);
    Result<std::uint64_t> grow(const std::string& path, const std::string& from, CopyWhat what, const StateEntry* entry,
                               const std::string& growing);
    Result<> make_parents(const std::string& path);
    Result<std::uint64_t> fill(const std::string& path, const std::string& from, CopyWhat what);
    Result<> write_scaffold();
    Result<bool> has(const std::string& path) const;
    Result<> no_symlink(const std::string& path);
    std::string outside(const std::string& path) const { return join_path(snapshot_, path); }

    const StatePlan& plan_;
    const std::string snapshot_, root_;
    Files& files_;
    std::optional<Result<>> prepared_;
    std::set<std::string> scaffold_;
    std::set<std::string> plain_;  // snapshot paths known to be no symlink
    int next_ = 0;
};

}  // namespace diskless
