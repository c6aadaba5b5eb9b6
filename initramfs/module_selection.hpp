// From wanted names to module files: everything they need, in load order, with what goes into the manifest.
#pragma once

#include <string>
#include <vector>

#include "common/image/manifest.hpp"
#include "initramfs/module_tree.hpp"

namespace diskless {

struct SelectedModule {
    ModuleEntry entry;                  // path: where it is in the image
    std::string source;                 // file on this machine
    std::string content;                // uncompressed
    std::vector<std::string> firmware;  // what it may ask for, below /lib/firmware
};

struct Selection {
    std::vector<SelectedModule> modules;  // what others need first
    std::vector<std::string> builtin;     // sorted
    std::vector<std::string> missing;     // asked for by name, but this kernel has them not
};

/// Adds modules, each with its needs before it.
class ModuleSelector {
  public:
    explicit ModuleSelector(const ModuleTree& tree) : tree_(tree) {}

    /// By name; what the kernel has not is noted in Selection::missing.
    Result<> add(const std::string& name);
    /// By the modalias of a device; a device that needs no driver is fine.
    Result<> add_for_device(const std::string& modalias);

    Selection take() { return std::move(selection_); }

  private:
    Result<> add_found(const FoundModule& found);
    Result<> add_needs(ModuleEntry& entry, const std::vector<std::string>& names);

    const ModuleTree& tree_;
    Selection selection_;
    std::vector<std::string> seen_;
};

/// The groups, without members that the kernel has neither as modules nor built in, without empty groups.
std::vector<ModuleGroup> groups_of(const Selection& selection);

}  // namespace diskless
