#include "server-helper/image/pack.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"
#include "server-helper/image/run_program.hpp"
#include "server-helper/model/image_list.hpp"

namespace diskless::server {

namespace {
constexpr std::string_view kPartial = ".diskless-root.partial";
constexpr std::size_t kLargestConfiguration = std::size_t{1} << 20;

bool has_line(std::string_view text, std::string_view wanted) {
    for (const auto line : lines(text))
        if (line == wanted) return true;
    return false;
}
}  // namespace

std::string compressor_for(const Files& files, const std::string& root) {
    const auto boot = join_path(root, "boot");
    bool known = false;
    for (const auto& name : files.list(boot).value_or(std::vector<std::string>{})) {
        if (!name.starts_with("config-")) continue;
        const auto text = files.read(join_path(boot, name), kLargestConfiguration);
        if (!text || !has_line(*text, "CONFIG_SQUASHFS_ZSTD=y")) return "gzip";
        known = true;
    }
    return known ? "zstd" : "gzip";
}

std::vector<std::string> pack_arguments(const std::string& generation, const std::string& to,
                                        const std::string& compressor, bool quiet) {
    std::vector<std::string> arguments{"mksquashfs", generation, to, "-noappend", "-comp", compressor};
    if (quiet) arguments.insert(arguments.end(), {"-quiet", "-no-progress"});
    // of the generation, and what a killed run has left; the rest of ours is the node's to see
    arguments.insert(arguments.end(), {"-wildcards", "-e", fmt::format("{}root.*", kOurNames)});
    return arguments;
}

Result<std::uint64_t> pack_generation(Files& files, const std::string& generation, bool quiet) {
    const auto packed = join_path(generation, kPackedRoot);
    if (const auto there = files.status(packed)) return there->size;
    const auto partial = join_path(generation, kPartial);
    const auto make = [&]() -> Result<> {
        TRY(files.replace(partial, "", 0600));  // it is filled in place, and keeps its mode
        TRY(run_program(pack_arguments(generation, partial, compressor_for(files, generation), quiet),
                        "squashfs-tools"));
        return files.rename(partial, packed);
    };
    if (const auto made = make(); !made) {
        (void)files.remove(partial);  // the disk may be full of it
        return within("pack " + generation, made.error());
    }
    return TRY(files.status(packed)).size;
}

}  // namespace diskless::server
