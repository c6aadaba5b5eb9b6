// The image of a stick: a partition table, a FAT file system, SYSLINUX and what UEFI starts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace diskless::server {

struct StickContent {
    bool fat16 = false;              // else FAT32
    std::string label = "DISKLESS";  // of the file system, at most 11 letters
    std::string kernel, initramfs;   // files of this machine
    std::string syslinux_config, grub_config;
};

/// What this machine can make bootable, found in the usual places of packages.
struct StickLoaders {
    std::string boot_code;                   // mbr.bin
    std::string syslinux;                    // the program
    std::string efi, efi_library;            // syslinux.efi, ldlinux.e64
    std::string grub_mkimage, grub_modules;  // GRUB for UEFI, where syslinux.efi is not there
    bool bios() const { return !boot_code.empty() && !syslinux.empty(); }
    bool uefi() const { return grub() || (!efi.empty() && !efi_library.empty()); }
    bool grub() const { return !grub_mkimage.empty(); }
};

/// `root`: "/" of this machine. Fails when neither BIOS nor UEFI could be served, or when mkfs.vfat or mtools are
/// absent; `warnings` gets what is absent for one of the two.
Result<StickLoaders> find_stick_loaders(const std::string& root, std::vector<std::string>& warnings);

/// Size in bytes of the image.
Result<std::uint64_t> stick_image_size(const StickContent& content, const StickLoaders& loaders);

/// Makes the image at `out` by way of files beside it: there is no half one. Returns its size.
Result<std::uint64_t> make_stick_image(const StickContent& content, const StickLoaders& loaders, const std::string& out,
                                       const std::function<void(const std::string& what)>& working);

}  // namespace diskless::server
