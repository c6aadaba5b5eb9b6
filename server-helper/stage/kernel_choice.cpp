#include "server-helper/stage/kernel_choice.hpp"

#include <fmt/core.h>
#include <string.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/place_file.hpp"
#include "server-helper/image/image_check.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kHeaderBytes = 0x10000 + 0x200 + 256;  // kernel_version has 16 bits

std::vector<std::string> names_in(const std::string& root, const std::string& directory) {
    const auto found = resolve_in_root(root, directory);
    if (found.empty()) return {};
    return LinuxFiles().list(found).value_or(std::vector<std::string>{});
}

class Collector {
  public:
    explicit Collector(const std::string& root) : root_(root) {}

    /// `named`: the release that the file's place tells, when the file itself does not.
    void see(const std::string& path, const std::string& named) {
        const auto start = read_start_in_root({root_, path}, kHeaderBytes);
        if (!start) return;
        auto release = release_of_kernel_image(*start);
        if (release.empty()) release = named;
        const bool known =
            std::ranges::any_of(kernels, [&](const RootKernel& other) { return other.release == release; });
        if (release.empty() || known) return;
        const bool has_modules = status_in_root({root_, "lib/modules/" + release + "/modules.dep"}).has_value();
        kernels.push_back({release, path, has_modules});
    }

    std::vector<RootKernel> kernels;

  private:
    const std::string& root_;
};
}  // namespace

std::string release_of_kernel_image(std::string_view start) {
    constexpr std::size_t kMagicAt = 0x202, kVersionAt = 0x20E, kVersionBase = 0x200;
    if (start.size() < kVersionAt + 2 || start.substr(kMagicAt, 4) != "HdrS") return {};
    const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(start[at])); };
    const auto at = kVersionBase + (byte(kVersionAt) | byte(kVersionAt + 1) << 8);
    if (at == kVersionBase || at >= start.size()) return {};
    const auto text = start.substr(at, 64);
    const auto release = text.substr(0, text.find_first_of(std::string_view(" \0", 2)));
    const bool plain = std::ranges::all_of(release, [](unsigned char c) {
        return c < 0x80 &&
               (isalnum(c) != 0 || std::string_view("-._+~").find(static_cast<char>(c)) != std::string::npos);
    });
    return plain && !release.empty() && isdigit(static_cast<unsigned char>(release[0])) ? std::string(release) : "";
}

std::vector<RootKernel> kernels_of_root(const std::string& root) {
    Collector collector(root);
    for (const auto& name : names_in(root, "boot"))
        if (name.starts_with("vmlinuz") && name.find("rescue") == std::string::npos && !name.ends_with(".old"))
            collector.see("boot/" + name, name.starts_with("vmlinuz-") ? name.substr(8) : "");
    for (const auto& name : names_in(root, "lib/modules")) collector.see("lib/modules/" + name + "/vmlinuz", name);
    auto kernels = std::move(collector.kernels);
    std::ranges::stable_sort(kernels, [](const RootKernel& one, const RootKernel& other) {
        if (one.has_modules != other.has_modules) return other.has_modules;
        return ::strverscmp(one.release.c_str(), other.release.c_str()) < 0;
    });
    return kernels;
}

Result<RootKernel> choose_kernel(const std::vector<RootKernel>& kernels, const std::string& release) {
    if (kernels.empty()) return fail("it has no kernel in /boot", "install a kernel package into the image");
    if (release.empty()) return kernels.back();
    std::vector<std::string> names;
    for (const auto& kernel : kernels) {
        if (kernel.release == release) return kernel;
        names.push_back(kernel.release);
    }
    return fail(fmt::format("it has no kernel {}", release), "it has " + join(names, ", "));
}

}  // namespace diskless::server
