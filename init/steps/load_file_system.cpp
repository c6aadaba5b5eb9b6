#include "init/steps/load_file_system.hpp"

#include <fmt/core.h>

#include "init/root_modules.hpp"

namespace diskless::steps {

Result<> load_from_anywhere(Os& os, const Boot& boot, const std::string& module, std::string_view otherwise) {
    Manifest of_root;
    auto order = load_order(boot.manifest, {module});
    if (order.empty()) {
        of_root = modules_of_root(os.files, os.machine.kernel_release(), false);
        order = load_order(of_root, {module});
    }
    for (const auto* entry : order) {
        auto loaded = os.modules.load(entry->path, entry->options, boot.config.lean_modules ? entry->lean : LeanForm{});
        if (loaded) continue;
        if (!entry->path.ends_with(".ko"))  // the builder takes it in, plain, where it sees that coming
            loaded.error().remedy = fmt::format(
                "the kernel may be unable to decompress it: build the initramfs with --image-root; or {}", otherwise);
        return loaded;
    }
    return {};
}

Result<> load_file_system(Os& os, const Boot& boot, const std::string& type, std::string_view otherwise) {
    if (os.mounts.knows_type(type)) return {};
    TRY(load_from_anywhere(os, boot, type, otherwise));
    if (os.mounts.knows_type(type)) return {};
    return fail(
        fmt::format("the kernel has no file system \"{}\", nor has the root a module of it for {}", type,
                    os.machine.kernel_release()),
        fmt::format("build the initramfs with --image-root; put the modules of this kernel into the root, below "
                    "lib/modules; or {}",
                    otherwise),
        ENODEV);
}

}  // namespace diskless::steps
