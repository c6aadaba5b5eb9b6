#include "initramfs/module_sets.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include "common/base/text.hpp"
#include "initramfs/module_file.hpp"

namespace diskless {

namespace fs = std::filesystem;

const std::vector<std::string>& default_drivers() {
    static const std::vector<std::string> drivers = {
        // virtual machines: KVM, Xen, VMware, Hyper-V, EC2, Google
        "virtio_pci",
        "virtio_mmio",
        "virtio_net",
        "xen_netfront",
        "vmxnet3",
        "hv_netvsc",
        "pci_hyperv",
        "ena",
        "gve",
        // Intel, with the virtual functions that guests are given
        "e100",
        "e1000",
        "e1000e",
        "igb",
        "igbvf",
        "igc",
        "ixgbe",
        "ixgbevf",
        "i40e",
        "iavf",
        "ice",
        // Broadcom, Mellanox, Realtek, Aquantia, Chelsio, Emulex, QLogic, Solarflare, Cisco
        "tg3",
        "bnx2",
        "bnx2x",
        "bnxt_en",
        "mlx4_en",
        "mlx5_core",
        "r8169",
        "atlantic",
        "cxgb4",
        "be2net",
        "qede",
        "sfc",
        "enic",
        "alx",
        // older machines
        "8139cp",
        "8139too",
        "forcedeth",
        "sky2",
        "pcnet32",
        // USB
        "xhci_pci",
        "r8152",
        "ax88179_178a",
        "cdc_ether",
    };
    return drivers;
}

const std::vector<ModuleGroup>& module_groups() {
    static const std::vector<ModuleGroup> groups = {
        {"packet", {"af_packet"}},
        {"nfs3", {"nfs", "nfsv3"}},
        {"nfs4", {"nfs", "nfsv4"}},
    };
    return groups;
}

const std::vector<std::string>& image_root_modules() {
    static const std::vector<std::string> modules = {"loop", "squashfs", "erofs", "overlay"};
    return modules;
}

Result<std::vector<std::string>> module_list(const std::string& list_or_file) {
    std::string text = list_or_file;
    std::error_code ignored;
    if (fs::is_regular_file(list_or_file, ignored))
        text = TRY_TO("read the list of modules", read_decompressed(list_or_file));
    else if (list_or_file.find('/') != std::string::npos)
        return fail("there is no list of modules " + list_or_file,
                    "name modules as \"a,b\", or a file that lists them");
    std::vector<std::string> names;
    for (const auto line : lines(text))
        for (const auto part : split(line.substr(0, line.find('#')), ','))
            for (const auto name : words(part)) names.push_back(normalize_alias(name));
    if (names.empty()) return fail("the list of modules is empty: " + list_or_file);
    return names;
}

Result<std::vector<std::string>> modaliases_of(const std::string& sysfs) {
    std::error_code problem;
    fs::recursive_directory_iterator entries(fs::path(sysfs) / "devices", fs::directory_options::skip_permission_denied,
                                             problem);
    if (problem) return fail("read the devices of this machine: " + problem.message(), "is /sys mounted?");
    std::set<std::string> found;
    for (; entries != fs::recursive_directory_iterator(); entries.increment(problem)) {
        if (problem) break;
        if (entries->path().filename() != "modalias") continue;
        std::string line;
        std::getline(std::ifstream(entries->path()) >> std::ws, line);
        if (!line.empty()) found.insert(line);
    }
    return std::vector<std::string>(found.begin(), found.end());
}

}  // namespace diskless
