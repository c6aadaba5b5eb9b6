#include "server-helper/image/pack.hpp"

#include <fmt/core.h>
#include <sys/xattr.h>

#include <filesystem>

#include "common/base/text.hpp"
#include "common/os/tree_share_linux.hpp"
#include "server-helper/image/run_program.hpp"
#include "server-helper/model/image_list.hpp"

namespace diskless::server {

namespace {
constexpr std::string_view kPartial = ".diskless-root.partial";
constexpr std::size_t kLargestConfiguration = std::size_t{1} << 20;

/// Of a file that is cut short nobody can boot. Superblock: "hsqs" at 0, bytes in use at 40, little endian (Linux,
/// fs/squashfs/squashfs_fs.h).
bool is_whole(const Files& files, const std::string& path) {
    constexpr std::size_t kUsed = 40;
    const auto head = files.read_head(path, kUsed + 8);
    const auto status = files.status(path);
    if (!head || !status || !head->starts_with("hsqs") || head->size() < kUsed + 8) return false;
    std::uint64_t used = 0;
    for (std::size_t at = 8; at-- > 0;) used = used << 8 | static_cast<unsigned char>((*head)[kUsed + at]);
    return used <= status->size;
}

/// Below the generation, as the node sees it; empty: none.
std::string first_access_list(const std::string& generation) {
    namespace fs = std::filesystem;
    std::error_code problem;
    fs::recursive_directory_iterator entries(generation, problem);
    for (; !problem && entries != fs::recursive_directory_iterator(); entries.increment(problem))
        for (const char* list : {"system.posix_acl_access", "system.posix_acl_default"})
            if (::lgetxattr(entries->path().c_str(), list, nullptr, 0) > 0)
                return entries->path().string().substr(generation.size());
    return {};
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
    std::vector<std::string> arguments{"mksquashfs",     generation, to,        "-noappend",
                                       "-exit-on-error", "-comp",    compressor};
    if (quiet) arguments.insert(arguments.end(), {"-quiet", "-no-progress"});
    // of the generation, and what a killed run has left; the rest of ours is the node's to see
    arguments.insert(arguments.end(), {"-wildcards", "-e", fmt::format("{}root.*", kOurNames)});
    return arguments;
}

Result<Packed> pack_generation(Files& files, const std::string& generation, bool quiet) {
    const auto packed = join_path(generation, kPackedRoot);
    const auto partial = join_path(generation, kPartial);
    Packed result;
    if (is_whole(files, packed)) {
        TRY(files.remove(partial));  // of a run that was killed
    } else {
        const auto make = [&]() -> Result<> {
            TRY(files.replace(partial, "", 0600));  // it is filled in place, and keeps its mode
            TRY(run_program(pack_arguments(generation, partial, compressor_for(files, generation), quiet),
                            "squashfs-tools"));
            TRY(sync_file_system(generation));
            return files.rename(partial, packed);
        };
        if (const auto made = make(); !made) {
            (void)files.remove(partial);  // the disk may be full of it
            return within("pack " + generation, made.error());
        }
        result.made = true;
        result.access_list = first_access_list(generation);
    }
    result.bytes = TRY(files.status(packed)).size;
    return result;
}

}  // namespace diskless::server
