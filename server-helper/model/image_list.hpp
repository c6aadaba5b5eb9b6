// Images as they stand on disk: <base>/images/<name>/<generation>/, current -> generation, image.toml.
#pragma once

#include "server-helper/model/cluster.hpp"

namespace diskless::server {

/// What this program writes to the top of a generation, and takes from no source, begins so.
inline constexpr std::string_view kOurNames = ".diskless-";

/// The generation in one file, for nodes with root-mode "image".
inline constexpr std::string_view kPackedRoot = ".diskless-root.squashfs";

/// A complete generation has this file; it says which one it is, in lines KEY=value as os-release(5): IMAGE,
/// GENERATION, CREATED (seconds since 1970), SOURCE. Nodes see it as /.diskless-generation.
inline constexpr std::string_view kGenerationMark = ".diskless-generation";

/// What an image is made from, and which generations stay: image.toml.
struct ImageRecord {
    std::string kind;                  // "root", "tar", "debootstrap", "rsync"
    std::string source;                // directory, file, suite, HOST:/
    std::string mirror;                // debootstrap only
    std::vector<std::string> exclude;  // further paths whose content is not taken
    std::vector<std::string> pinned;
    std::vector<std::string> include;  // debootstrap only: packages besides the base system
    bool pack = false;                 // each new generation in one file, too
    bool operator==(const ImageRecord&) const = default;
};

Result<ImageRecord> read_image_record(const std::string& directory, std::vector<Warning>& warnings);
std::string to_toml(const ImageRecord& record);

/// Images below <base>/images, sorted; directories that are no image (work in progress) are left out.
Result<std::vector<Image>> list_images(const std::string& base, std::vector<Warning>& warnings);

}  // namespace diskless::server
