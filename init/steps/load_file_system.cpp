#include "init/steps/load_file_system.hpp"

#include <fmt/core.h>

#include "init/root_modules.hpp"

namespace diskless::steps {

Result<> load_file_system(Os& os, const Boot& boot, const std::vector<std::string>& modules,
                          std::string_view otherwise) {
    const auto& type = modules.back();
    if (os.mounts.knows_type(type)) return {};
    Manifest of_root;
    auto order = load_order(boot.manifest, modules);
    if (boot.manifest.module(type) == nullptr) {
        of_root = modules_of_root(os.files, os.machine.kernel_release(), false);
        order = load_order(of_root, modules);
    }
    for (const auto* module : order) {
        auto loaded =
            os.modules.load(module->path, module->options, boot.config.lean_modules ? module->lean : LeanForm{});
        if (loaded) continue;
        if (!module->path.ends_with(".ko"))  // the builder takes it in, plain, where it sees that coming
            loaded.error().remedy = fmt::format(
                "the kernel may be unable to decompress it: build the initramfs anew with this version; or {}",
                otherwise);
        return loaded;
    }
    if (os.mounts.knows_type(type)) return {};
    return fail(
        fmt::format("the kernel has no file system \"{}\", nor has the root a module of it for {}", type,
                    os.machine.kernel_release()),
        fmt::format("build the initramfs with --modules {}; put the modules of this kernel into the root, below "
                    "lib/modules; or {}",
                    type, otherwise),
        ENODEV);
}

}  // namespace diskless::steps
