#include "server-helper/usb/stick_image.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/place_file.hpp"
#include "common/os/tool.hpp"
#include "server-helper/stage/scratch.hpp"
#include "server-helper/usb/stick_text.hpp"

namespace diskless::server {

namespace {
constexpr std::chrono::seconds kLongest{300};
constexpr std::uint64_t kLargestFat16 = std::uint64_t{2} << 30;

std::string first_of(const std::string& root, const std::vector<const char*>& places) {
    for (const auto* place : places)
        if (auto path = join_path(root == "/" ? "" : root, place); LinuxFiles().exists(path)) return path;
    return {};
}

Result<> run(const std::vector<std::string>& command, const char* package) {
    auto arguments = command;
    const auto tool = find_tool(command.front());
    if (!tool) return fail(command.front() + " is not on this server", std::string("apt-get install ") + package);
    arguments.front() = *tool;
    const auto output = TRY(run_tool(arguments, kLongest));
    if (output.status == 0) return {};
    const auto complaint = printable(complaint_of(output.text));
    const bool full = output.text.find(error_text(ENOSPC)) != std::string::npos;
    return fail(fmt::format("{} failed (exit status {}){}{}", command.front(), output.status,
                            complaint.empty() ? "" : ": ", complaint),
                full ? "make room on that file system" : "", full ? ENOSPC : 0);
}

class FatMaker {
  public:
    FatMaker(const std::string& image, const std::string& scratch) : image_(image), scratch_(scratch) {}

    Result<> format(std::uint64_t size, const std::string& label, bool fat16) {
        const auto hidden = std::to_string(kStickStart / 512), blocks = std::to_string(size / 1024);
        if (fat16) return run({"mkfs.vfat", "-C", "-F", "16", "-n", label, "-h", hidden, image_, blocks}, "dosfstools");
        // Small clusters: FAT32 needs 65525 of them. Hidden sectors: boot code adds them to what it reads.
        return run({"mkfs.vfat", "-C", "-F", "32", "-s", size < (std::uint64_t{256} << 20) ? "1" : "8", "-n", label,
                    "-h", hidden, image_, blocks},
                   "dosfstools");
    }
    Result<> directory(const char* name) { return run({"mmd", "-i", image_, std::string("::") + name}, "mtools"); }
    Result<> copy(const std::string& from, const char* to) {
        return run({"mcopy", "-o", "-i", image_, from, std::string("::") + to}, "mtools");
    }
    Result<> text(const std::string& content, const char* to) {
        const auto file = join_path(scratch_, "text");
        TRY(LinuxFiles().replace(file, content));
        return copy(file, to);
    }

  private:
    const std::string& image_;
    const std::string& scratch_;
};

Result<> add_uefi(FatMaker& fat, const StickContent& content, const StickLoaders& loaders, const std::string& scratch) {
    TRY(fat.directory("/EFI"));
    TRY(fat.directory("/EFI/BOOT"));
    if (!loaders.grub()) {
        TRY(fat.copy(loaders.efi, "/EFI/BOOT/BOOTX64.EFI"));
        TRY(fat.copy(loaders.efi_library, "/EFI/BOOT/ldlinux.e64"));
        return fat.text(content.syslinux_config, "/EFI/BOOT/syslinux.cfg");
    }
    const auto core = join_path(scratch, "core.efi");
    TRY(run({"grub-mkimage", "-d", loaders.grub_modules, "-O", "x86_64-efi", "-p", "/EFI/BOOT", "-o", core,
             "part_msdos", "fat", "normal", "configfile", "linux", "echo", "all_video", "boot"},
            "grub-common"));
    TRY(fat.copy(core, "/EFI/BOOT/BOOTX64.EFI"));
    return fat.text(content.grub_config, "/EFI/BOOT/grub.cfg");
}

/// The boot sector, and behind it the file system.
Result<> join_parts(const std::string& sector, const std::string& file_system, const std::string& to) {
    const Descriptor from(::open(file_system.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from) return fail_errno("open " + file_system);
    struct statx status {};
    if (::statx(from.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0)
        return fail_errno("stat " + file_system);
    Descriptor out(::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!out) return fail_errno("create " + to);
    std::string block(1 << 20, '\0');
    if (::pwrite(out.get(), sector.data(), sector.size(), 0) != static_cast<ssize_t>(sector.size()))
        return fail_errno("write " + to);
    for (std::uint64_t at = 0; at < status.stx_size;) {
        const auto got = ::pread(from.get(), block.data(), block.size(), static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail_errno("read " + file_system, got == 0 ? EIO : errno);
        const bool empty = block.find_first_not_of('\0') >= static_cast<std::size_t>(got);
        if (!empty && ::pwrite(out.get(), block.data(), static_cast<std::size_t>(got),
                               static_cast<off_t>(kStickStart + at)) != got)
            return fail_errno("write " + to, errno, "make room on that file system");
        at += static_cast<std::uint64_t>(got);
    }
    if (::ftruncate(out.get(), static_cast<off_t>(kStickStart + status.stx_size)) != 0 || ::fsync(out.get()) != 0 ||
        !out.close())
        return fail_errno("write " + to, errno, "make room on that file system");
    return {};
}

std::uint32_t new_signature() {
    std::uint32_t signature = 0;
    while (signature == 0)
        if (::getrandom(&signature, sizeof signature, 0) != sizeof signature) signature = 0x44534B4C;
    return signature;
}
}  // namespace

Result<StickLoaders> find_stick_loaders(const std::string& root, std::vector<std::string>& warnings) {
    for (const auto& [tool, package] : {std::pair{"mkfs.vfat", "dosfstools"}, std::pair{"mcopy", "mtools"}})
        if (!find_tool(tool))
            return fail(std::string(tool) + " is not on this server: no file system for a stick can be made",
                        std::string("apt-get install dosfstools mtools (") + package + " is absent)");
    StickLoaders loaders;
    loaders.boot_code =
        first_of(root, {"usr/lib/syslinux/mbr/mbr.bin", "usr/lib/SYSLINUX/mbr.bin", "usr/share/syslinux/mbr.bin"});
    loaders.syslinux = find_tool("syslinux").value_or("");
    loaders.efi = first_of(root, {"usr/lib/SYSLINUX.EFI/efi64/syslinux.efi", "usr/share/syslinux/efi64/syslinux.efi"});
    loaders.efi_library =
        first_of(root, {"usr/lib/syslinux/modules/efi64/ldlinux.e64", "usr/share/syslinux/efi64/ldlinux.e64"});
    loaders.grub_modules = first_of(root, {"usr/lib/grub/x86_64-efi"});
    if (!loaders.grub_modules.empty()) loaders.grub_mkimage = find_tool("grub-mkimage").value_or("");
    const char* bios = "apt-get install syslinux syslinux-common";
    const char* uefi = "apt-get install grub-common grub-efi-amd64-bin, or syslinux-efi syslinux-common";
    if (!loaders.bios() && !loaders.uefi())
        return fail("neither SYSLINUX nor GRUB is on this server: nothing could boot the stick", bios);
    if (!loaders.bios())
        warnings.push_back(fmt::format("without SYSLINUX the stick does not boot with BIOS ({})", bios));
    if (!loaders.uefi()) warnings.push_back(fmt::format("the stick will not boot with UEFI ({})", uefi));
    return loaders;
}

Result<std::uint64_t> stick_image_size(const StickContent& content, const StickLoaders& loaders) {
    constexpr std::uint64_t kGrubBytes = 4 << 20;
    std::uint64_t bytes = loaders.grub() ? kGrubBytes : 0;
    for (const auto& file : {content.kernel, content.initramfs, loaders.efi, loaders.efi_library})
        if (!file.empty())
            if (auto status = status_in_root({"/", file})) bytes += status->size;
    return kStickStart + stick_partition_size(bytes);
}

Result<std::uint64_t> make_stick_image(const StickContent& content, const StickLoaders& loaders, const std::string& out,
                                       const std::function<void(const std::string& what)>& working) {
    const auto tell = [&](const char* what) {
        if (working) working(what);
    };
    const auto size = TRY(stick_image_size(content, loaders));
    if (content.fat16 && size > kLargestFat16)
        return fail("kernel and initramfs are too large for FAT16, which ends at 2 GiB", "leave out --fat16");
    const auto scratch = TRY(Scratch::make(parent_path(out)));  // there is room, and it is the same file system
    const auto file_system = join_path(scratch.path(), "fat"), image = join_path(scratch.path(), "image");
    tell("making the file system");
    FatMaker fat(file_system, scratch.path());
    TRY(fat.format(size - kStickStart, content.label, content.fat16));
    tell("copying kernel and initramfs");
    TRY(fat.copy(content.kernel, "/vmlinuz"));
    TRY(fat.copy(content.initramfs, "/initrd.img"));
    TRY(fat.text(content.syslinux_config, "/syslinux.cfg"));
    if (loaders.uefi()) TRY(add_uefi(fat, content, loaders, scratch.path()));
    std::string code;
    if (loaders.bios()) {
        tell("installing SYSLINUX");
        TRY(run({"syslinux", "--install", file_system}, "syslinux"));
        code = TRY(LinuxFiles().read(loaders.boot_code));
    }
    tell("putting the parts together");
    const auto sector = TRY(stick_boot_sector(code, size - kStickStart, new_signature(), content.fat16));
    TRY(join_parts(sector, file_system, image));
    if (::rename(image.c_str(), out.c_str()) != 0) return fail_errno("rename to " + out);
    return size;
}

}  // namespace diskless::server
