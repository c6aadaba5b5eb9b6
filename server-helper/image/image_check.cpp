#include "server-helper/image/image_check.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"

namespace diskless::server {

std::string resolve_in_root(const std::string& root, const std::string& path) {
    const LinuxFiles files;
    std::vector<std::string> rest, done;
    const auto push = [&](std::string_view text) {
        auto parts = split(text, '/');
        std::reverse(parts.begin(), parts.end());
        for (const auto part : parts) rest.emplace_back(part);
    };
    push(path);
    for (int links = 0; !rest.empty();) {
        const auto name = rest.back();
        rest.pop_back();
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            if (!done.empty()) done.pop_back();
            continue;
        }
        done.push_back(name);
        const auto at = root + "/" + join(done, "/");
        const auto status = files.status(at);
        if (!status) return {};
        if (status->kind != FileKind::symlink) continue;
        const auto target = files.read_link(at);
        if (!target || ++links > 40) return {};
        done.pop_back();
        if (target->starts_with('/')) done.clear();
        push(*target);
    }
    return done.empty() ? root : root + "/" + join(done, "/");
}

namespace {
class Checker {
  public:
    explicit Checker(const std::string& root) : root_(root) {}

    void run() {
        check_init();
        check_kernels();
        check_mount_points();
        check_machine_id();
        check_fstab();
        check_links();
        check_keys();
    }
    std::vector<ImageFinding> findings;

  private:
    std::string found(const std::string& path) const { return resolve_in_root(root_, path); }
    bool is_directory(const std::string& path) const {
        const auto at = found(path);
        return !at.empty() && files_.is_directory(at);
    }
    void fatal(std::string what, std::string remedy) { findings.push_back({true, std::move(what), std::move(remedy)}); }
    void note(std::string what, std::string remedy) { findings.push_back({false, std::move(what), std::move(remedy)}); }

    void check_init() {
        for (const char* path : {"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"}) {
            const auto at = found(path);
            const auto status = at.empty() ? Result<FileStatus>(fail("")) : files_.status(at);
            if (!status || status->kind != FileKind::regular || (status->mode & 0111) == 0) continue;
            if (std::string_view(path) == "/bin/sh")
                note("there is no /sbin/init: nodes will end in a shell", "install systemd-sysv into the image");
            return;
        }
        fatal("there is no /sbin/init that can be executed",
              "install systemd-sysv into the image, or set init= of the nodes");
    }

    void check_kernels() {
        std::vector<std::string> kernels;
        const auto modules = found("/lib/modules");
        if (const auto names = modules.empty() ? Result<std::vector<std::string>>(fail("")) : files_.list(modules))
            for (const auto& name : *names)
                if (files_.is_directory(modules + "/" + name)) kernels.push_back(name);
        if (kernels.empty())
            return note("there are no kernel modules in /lib/modules: drivers beyond the initramfs will be absent",
                        "install the kernel package of the nodes into the image");
        for (const auto& kernel : kernels) {
            for (const char* index : {"modules.dep", "modules.dep.bin"}) {
                if (files_.exists(modules + "/" + kernel + "/" + index)) continue;
                note(fmt::format("/lib/modules/{} has no {}: modprobe finds nothing, and no initramfs can be built",
                                 kernel, index),
                     fmt::format("in the image's source: depmod {}", kernel));
                break;
            }
            if (found("/boot/vmlinuz-" + kernel).empty() && found("/lib/modules/" + kernel + "/vmlinuz").empty())
                note(fmt::format("the kernel of /lib/modules/{} is not in /boot", kernel),
                     "install the kernel package into the image, or take the kernel from elsewhere");
        }
    }

    void check_mount_points() {
        for (const char* path : {"/proc", "/sys", "/dev", "/run"})
            if (!is_directory(path))
                fatal(fmt::format("there is no directory {}: it cannot be made on a read-only root", path),
                      fmt::format("in the image's source: mkdir {}", path));
        for (const char* path : {"/tmp", "/var", "/etc"})
            if (!is_directory(path))
                note(fmt::format("there is no directory {}", path),
                     fmt::format("in the image's source: mkdir {}", path));
    }

    void check_machine_id() {
        const auto at = found("/etc/machine-id");
        if (at.empty())
            return note(
                "/etc/machine-id is absent: it cannot be bound to on a read-only root, every boot is a first boot",
                "in the image's source: touch /etc/machine-id");
        if (const auto status = files_.status(at); status && status->size > 0)
            note("/etc/machine-id is not empty: nodes that keep no own one are all the same machine",
                 "in the image's source: truncate -s 0 /etc/machine-id");
    }

    void check_fstab() {
        const auto at = found("/etc/fstab");
        const auto text = at.empty() ? Result<std::string>(fail("")) : files_.read(at);
        if (!text) return;
        int number = 0;
        for (const auto line : lines(*text)) {
            ++number;
            const auto fields = words(line.substr(0, line.find('#')));
            if (fields.size() < 3) continue;
            const auto optional = fields.size() > 3 && (fields[3].find("noauto") != std::string_view::npos ||
                                                        fields[3].find("nofail") != std::string_view::npos);
            const bool local = fields[0].starts_with("UUID=") || fields[0].starts_with("LABEL=") ||
                               fields[0].starts_with("PARTUUID=") || fields[0].starts_with("/dev/");
            if (local && !optional)
                findings.push_back({false,
                                    fmt::format("/etc/fstab:{} mounts {} on {}: a node without that disk waits for it",
                                                number, printable(fields[0]), printable(fields[1])),
                                    "take the line out of the image, or add nofail"});
        }
    }

    void check_links() {
        const auto mtab = files_.status(root_ + "/etc/mtab");
        if (mtab && mtab->kind == FileKind::regular)
            note("/etc/mtab is a file: mount cannot write it on a read-only root",
                 "in the image's source: ln -sf ../proc/self/mounts /etc/mtab");
        const auto resolv = files_.status(root_ + "/etc/resolv.conf");
        if (!resolv)
            note("/etc/resolv.conf is absent: name servers cannot be put there on a read-only root",
                 "in the image's source: touch /etc/resolv.conf");
    }

    void check_keys() {
        const auto ssh = found("/etc/ssh");
        const auto names = ssh.empty() ? Result<std::vector<std::string>>(fail("")) : files_.list(ssh);
        if (!names) return;
        for (const auto& name : *names)
            if (name.starts_with("ssh_host_") && name.ends_with("_key"))
                return note("the image holds ssh host keys: all nodes that keep no own ones share them",
                            "in the image's source: rm /etc/ssh/ssh_host_*; give each snapshot keys of its own");
    }

    const std::string& root_;
    const LinuxFiles files_;
};
}  // namespace

std::vector<ImageFinding> check_image(const std::string& root) {
    Checker checker(root);
    checker.run();
    return std::move(checker.findings);
}

}  // namespace diskless::server
