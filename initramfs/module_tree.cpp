#include "initramfs/module_tree.hpp"

#include <fmt/core.h>
#include <libkmod.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/base/text.hpp"

namespace diskless {

namespace fs = std::filesystem;

namespace {
struct ModuleList {
    kmod_list* list = nullptr;
    ModuleList() = default;
    explicit ModuleList(kmod_list* taken) : list(taken) {}
    ModuleList(const ModuleList&) = delete;
    ModuleList& operator=(const ModuleList&) = delete;
    ~ModuleList() { kmod_module_unref_list(list); }

    template <class Function>
    void each(Function&& function) const {
        for (auto* at = list; at; at = kmod_list_next(list, at)) {
            auto* module = kmod_module_get_module(at);
            function(module);
            kmod_module_unref(module);
        }
    }
};

void add_names(std::vector<std::string>& names, const ModuleList& modules) {
    modules.each([&](kmod_module* module) { names.emplace_back(kmod_module_get_name(module)); });
}

FoundModule describe(kmod_module* module) {
    FoundModule found;
    found.name = kmod_module_get_name(module);
    if (const char* path = kmod_module_get_path(module)) found.path = path;
    if (const char* options = kmod_module_get_options(module)) found.options = options;
    ModuleList before, after;
    kmod_module_get_softdeps(module, &before.list, &after.list);
    add_names(found.softdeps, before);
    return found;
}

void silent(void*, int, const char*, int, const char*, const char*, va_list) {}
}  // namespace

std::vector<std::string> kernels_in(const std::string& root) {
    std::vector<std::string> kernels;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(fs::path(root) / "lib/modules", ignored))
        if (entry.is_directory(ignored)) kernels.push_back(entry.path().filename());
    std::sort(kernels.begin(), kernels.end());
    return kernels;
}

namespace {
/// A generation of diskless-server is never changed: its image's source is, and a new one is made.
std::string depmod_remedy(const std::string& root, const std::string& kernel) {
    std::ifstream mark(fs::path(root) / ".diskless-generation");
    if (!mark) return fmt::format("run: depmod -b {} {}", root, kernel);
    std::string image = "IMAGE";
    for (std::string line; std::getline(mark, line);)
        if (line.starts_with("IMAGE=")) image = printable(line.substr(6));
    return fmt::format("in the image's source: depmod {}; then: diskless-server image sync {}", kernel, image);
}
}  // namespace

ModuleTree::ModuleTree(kmod_ctx* context) : context_(context, kmod_unref) {}

Result<ModuleTree> ModuleTree::open(const std::string& root, const std::string& kernel) {
    const auto directory = (fs::path(root) / "lib/modules" / kernel).string();
    std::error_code ignored;
    if (kernel.empty() || kernel.find('/') != std::string::npos || !fs::is_directory(directory, ignored)) {
        const auto kernels = kernels_in(root);
        return fail(
            fmt::format("kernel \"{}\" has no modules in {}", kernel, (fs::path(root) / "lib/modules").string()),
            kernels.empty() ? "install a kernel there, or name the directory that has one with --root"
                            : "kernels that are there: " + join(kernels, ", "));
    }
    if (!fs::exists(directory + "/modules.dep.bin", ignored))
        return fail(fmt::format("{}/modules.dep.bin is missing", directory), depmod_remedy(root, kernel));

    std::vector<std::string> config;
    for (const auto* path : {"etc/modprobe.d", "run/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"})
        config.push_back((fs::path(root) / path).string());
    const char* const config_paths[] = {config[0].c_str(), config[1].c_str(), config[2].c_str(), config[3].c_str(),
                                        nullptr};
    auto* context = kmod_new(directory.c_str(), config_paths);
    if (!context) return fail("libkmod cannot read " + directory);
    kmod_set_log_fn(context, silent, nullptr);
    if (kmod_load_resources(context) < 0) {
        kmod_unref(context);
        return fail(fmt::format("the module indexes in {} cannot be read", directory), depmod_remedy(root, kernel));
    }
    return ModuleTree(context);
}

std::vector<FoundModule> ModuleTree::find(const std::string& name_or_alias, bool respect_blacklist) const {
    ModuleList modules;
    if (kmod_module_new_from_lookup(context_.get(), name_or_alias.c_str(), &modules.list) < 0) return {};
    if (respect_blacklist) {
        kmod_list* allowed = nullptr;
        if (kmod_module_apply_filter(context_.get(), KMOD_FILTER_BLACKLIST, modules.list, &allowed) == 0) {
            kmod_module_unref_list(modules.list);
            modules.list = allowed;
        }
    }
    std::vector<FoundModule> found;
    modules.each([&](kmod_module* module) { found.push_back(describe(module)); });
    return found;
}

}  // namespace diskless
