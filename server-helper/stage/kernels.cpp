#include <fmt/core.h>

#include <map>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/image/image_check.hpp"
#include "server-helper/model/image_list.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "server-helper/stage/kernel_choice.hpp"
#include "server-helper/stage/stage.hpp"

namespace diskless::server {

namespace {
/// Everything of a root that the module part of an initramfs depends on. depmod writes modules.dep whenever modules
/// come or go.
std::string modules_fingerprint(const std::string& root, const std::string& release) {
    auto text = file_fingerprint({root, "lib/modules/" + release + "/modules.dep"});
    for (const char* directory : {"etc/modprobe.d", "lib/modprobe.d", "usr/lib/modprobe.d"}) {
        const auto found = resolve_in_root(root, directory);
        if (found.empty()) continue;
        for (const auto& name : LinuxFiles().list(found).value_or(std::vector<std::string>{}))
            text += fmt::format(" {}={}", name, file_fingerprint({root, std::string(directory) + "/" + name}));
    }
    return text;
}

std::string build_fingerprint(const BuildRequest& build, const RootKernel& kernel, const std::string& root) {
    auto text = fmt::format("{} {} {} {} {} {} {} {} {} {} {}{}", kernel.release, file_fingerprint({root, kernel.path}),
                            modules_fingerprint(root, kernel.release), file_fingerprint({"/", build.program}),
                            build.shell, static_cast<int>(build.drivers), join(build.modules, ","), build.strip,
                            build.firmware, build.level, build.parameters, build.image_root ? " image" : "");
    if (!build.shell.empty()) text += " " + file_fingerprint({"/", build.shell});
    for (const auto& file : build.files)
        text += fmt::format(" {}:{}:{}", file.source, file.target, file_fingerprint({"/", file.source}));
    return path_uuid(text);
}

/// As a module or built in; so where nobody has listed them.
bool has_overlayfs(const std::string& root, const std::string& release) {
    bool listed = false;
    for (const char* list : {"modules.dep", "modules.builtin"}) {
        const auto file = resolve_in_root(root, fmt::format("lib/modules/{}/{}", release, list));
        const auto text = file.empty() ? std::string() : LinuxFiles().read(file, 16 << 20).value_or(std::string());
        if (text.find("/overlay.ko") != std::string::npos) return true;
        listed |= !text.empty();
    }
    return !listed;
}

class Planner {
  public:
    Planner(const Site& site, const BuildRequest& build, StagePlan& plan) : site_(site), build_(build), plan_(plan) {
        for (const auto& node : site.nodes)
            if (node.root_mode == "rw" && !node.own_root)
                writable_.insert(node.generation_path);
            else if (node.root_mode == "image")
                mounts_image_.insert(node.initramfs);
    }

    void see(const ResolvedNode& node) {
        if (!node.generation.empty())
            given(node);
        else if (names_root(node))  // else boot apply tells
            without_generation(node);
        if (node.root_mode == "overlay" || node.root_mode == "image") overlay(node);
        if (node.root_mode == "image") tell_of_unpacked(node);
        if (!node.stages_kernel || !seen_.insert(node.kernel + "\n" + node.initramfs).second) return;
        const auto chosen = choose_kernel(kernels_of(node.generation_path), node.kernel_release);
        if (!chosen) return by_hand(node, chosen.error());
        kernel(node, {node.generation_path, chosen->path});
        if (node.stages_initramfs) initramfs(node, *chosen);
    }

  private:
    const std::vector<RootKernel>& kernels_of(const std::string& root) {
        const auto known = kernels_.find(root);
        return known != kernels_.end() ? known->second : kernels_.emplace(root, kernels_of_root(root)).first->second;
    }

    /// Files that a setting names are the administrator's to bring.
    void given(const ResolvedNode& node) {
        const auto look = [&](const char* setting, const std::string& name) {
            const auto path = "tftp/" + name;
            if (!seen_.insert("given " + path).second) return;
            plan_.lacking.push_back(
                {path, fmt::format("{}, which {} boots, is not there", path, node.name),
                 fmt::format("put it at {}, or take the setting away: diskless-server node set {} {}=",
                             boot_path(site_.cluster, path), node.name, setting)});
        };
        if (!node.stages_kernel) look("kernel", node.kernel);
        if (!node.stages_initramfs) look("initramfs", node.initramfs);
    }

    /// Until there is one, what the administrator has put there is booted.
    void without_generation(const ResolvedNode& node) {
        for (const auto& name : {node.kernel, node.initramfs})
            if (const auto path = "tftp/" + name; seen_.insert("given " + path).second)
                plan_.lacking.push_back(
                    {path, fmt::format("image {} has no generation yet, nor is {} there", node.image, path),
                     fmt::format("diskless-server image sync {}, or put it there", node.image)});
    }

    /// The node looks for it in its image and its root.
    void overlay(const ResolvedNode& node) {
        if (node.generation_path.empty() ||
            !seen_.insert("overlay " + node.generation_path + node.kernel_release).second)
            return;
        const auto chosen = choose_kernel(kernels_of(node.generation_path), node.kernel_release);
        if (!chosen || has_overlayfs(node.generation_path, chosen->release)) return;
        plan_.warnings.push_back(
            fmt::format("node {} has root-mode {}, but {} has no overlayfs for its kernel {}: install the modules of "
                        "that kernel into the image, then image sync",
                        node.name, node.root_mode, title(node), chosen->release));
    }

    /// It boots all the same, from the directory.
    void tell_of_unpacked(const ResolvedNode& node) {
        if (node.generation.empty() || !seen_.insert("packed " + node.generation_path).second ||
            LinuxFiles().exists(join_path(node.generation_path, kPackedRoot)))
            return;
        plan_.warnings.push_back(
            fmt::format("node {} has root-mode image, but {} is not packed: diskless-server image pack {}", node.name,
                        title(node), node.image));
    }

    static std::string title(const ResolvedNode& node) { return node.image + "/" + node.generation; }

    void kernel(const ResolvedNode& node, FileInRoot source) {
        if (!seen_.insert(node.kernel).second) return;
        BootFile file;
        file.path = "tftp/" + node.kernel;
        file.may_link = !writable_.contains(node.generation_path);
        // A link that was made before the node was allowed to write gives way to a copy.
        file.fingerprint = path_uuid(source.path + " " + file_fingerprint(source) + (file.may_link ? "" : " copy"));
        file.source = std::move(source);
        plan_.files.push_back(std::move(file));
    }

    void initramfs(const ResolvedNode& node, const RootKernel& kernel) {
        if (!seen_.insert(node.initramfs).second) return;
        BootFile file;
        file.path = "tftp/" + node.initramfs;
        const auto lack = [&](std::string cause, std::string remedy) {
            if (!place_by_hand(node, "initrd.img", file.path))
                plan_.lacking.push_back({file.path, std::move(cause), std::move(remedy)});
        };
        if (!kernel.has_modules)
            return lack(fmt::format("{} has no modules.dep of its kernel {}: no initramfs is built", title(node),
                                    kernel.release),
                        "install the kernel package into the image (or: depmod), then image sync");
        if (!LinuxFiles().exists(build_.program))
            return lack(fmt::format("there is no node program {}: no initramfs is built", build_.program),
                        "install it, or name it: boot apply --program FILE");
        auto request = build_;
        request.kernel = kernel.release;
        request.root = node.generation_path;
        request.image_root = mounts_image_.contains(node.initramfs);
        file.fingerprint = build_fingerprint(request, kernel, node.generation_path);
        file.slow = fmt::format("the initramfs of {}, kernel {}", title(node), kernel.release);
        file.make = [request, warnings = &plan_.warnings]() -> Result<std::string> {
            auto built = TRY_TO("build the initramfs of kernel " + request.kernel, build_image(request));
            for (auto& warning : built.warnings) warnings->push_back(std::move(warning));
            return std::move(built.image);
        };
        plan_.files.push_back(std::move(file));
    }

    /// The generation has no such kernel.
    void by_hand(const ResolvedNode& node, const Error& why) {
        // Of what lies there by hand nobody knows which release it is.
        const bool any = node.kernel_release.empty();
        const auto place = [&](const char* name) {
            return boot_path(site_.cluster, fmt::format("tftp/{}/{}", node.image, name));
        };
        if (!any || !place_by_hand(node, "vmlinuz", "tftp/" + node.kernel))
            plan_.lacking.push_back(
                {"tftp/" + node.kernel, fmt::format("{}: {}", title(node), why.cause),
                 any ? fmt::format("{}; or put one at {}", why.remedy, place("vmlinuz")) : why.remedy});
        if (!node.stages_initramfs) return;
        if (!any || !place_by_hand(node, "initrd.img", "tftp/" + node.initramfs))
            plan_.lacking.push_back(
                {"tftp/" + node.initramfs, fmt::format("{}: without a kernel no initramfs is built", title(node)),
                 any ? "diskless-server initramfs build --kernel VERSION --out " + place("initrd.img") : why.remedy});
    }

    /// What the administrator has put at tftp/IMAGE/NAME serves all generations that have none of their own.
    bool place_by_hand(const ResolvedNode& node, const char* name, const std::string& path) {
        const FileInRoot source{boot_path(site_.cluster, "tftp"), node.image + "/" + name};
        const auto status = status_in_root(source);
        if (!status || status->kind != FileKind::regular) return false;
        BootFile file;
        file.path = path;
        file.fingerprint = path_uuid("by hand " + file_fingerprint(source));
        file.source = source;
        plan_.files.push_back(std::move(file));
        return true;
    }

    const Site& site_;
    const BuildRequest& build_;
    StagePlan& plan_;
    std::set<std::string> seen_;
    std::set<std::string> writable_;      // roots that their nodes write into
    std::set<std::string> mounts_image_;  // by initramfs: some node that boots it has its root in one file
    std::map<std::string, std::vector<RootKernel>> kernels_;
};
}  // namespace

void plan_kernels(const Site& site, const BuildRequest& build, StagePlan& plan) {
    Planner planner(site, build, plan);
    for (const auto& node : site.nodes) planner.see(node);
}

}  // namespace diskless::server
