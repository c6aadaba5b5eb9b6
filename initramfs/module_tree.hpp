// The modules of one kernel below ROOT/lib/modules, by libkmod: indexes of depmod, modprobe.d of that root.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"

struct kmod_ctx;

namespace diskless {

struct FoundModule {
    std::string name;                   // with underscores
    std::string path;                   // file on this machine; empty when built in
    std::vector<std::string> softdeps;  // "pre:" of modprobe.d and modules.softdep
    std::string options;                // from modprobe.d
    bool builtin() const { return path.empty(); }
};

class ModuleTree {
  public:
    /// `root` is the directory that has lib/modules/<kernel>. Errors list the kernels that are there.
    static Result<ModuleTree> open(const std::string& root, const std::string& kernel);

    /// What a module name or a modalias stands for; empty when this kernel has nothing for it. With
    /// `respect_blacklist` modules that modprobe.d blacklists are left out: for what hardware asks, not people.
    std::vector<FoundModule> find(const std::string& name_or_alias, bool respect_blacklist = false) const;

  private:
    explicit ModuleTree(kmod_ctx* context);
    std::shared_ptr<kmod_ctx> context_;
};

/// Kernel releases below ROOT/lib/modules, sorted.
std::vector<std::string> kernels_in(const std::string& root);

}  // namespace diskless
