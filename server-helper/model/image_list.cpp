#include "server-helper/model/image_list.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/os/files_linux.hpp"
#include "server-helper/model/toml_table.hpp"
#include "server-helper/model/toml_text.hpp"

namespace diskless::server {

Result<ImageRecord> read_image_record(const std::string& directory, std::vector<Warning>& warnings) {
    const auto path = join_path(directory, "image.toml");
    const auto text = LinuxFiles().read(path);
    if (!text && text.error().code == ENOENT) return ImageRecord{};
    if (!text) return Failure(text.error());
    const auto parsed = TRY(parse_toml(path, *text));
    TomlTable table(parsed, path, "image.toml", warnings);
    ImageRecord record;
    record.kind = table.text("kind").value_or("");
    record.source = table.text("source").value_or("");
    record.mirror = table.text("mirror").value_or("");
    record.include = table.texts("include").value_or(std::vector<std::string>{});
    record.exclude = table.texts("exclude").value_or(std::vector<std::string>{});
    record.pinned = table.texts("pinned").value_or(std::vector<std::string>{});
    record.pack = table.flag("pack").value_or(false);
    TRY(table.finish());
    return record;
}

std::string to_toml(const ImageRecord& record) {
    std::string text = "# What this image is made from: diskless-server-image(8).\n";
    text += fmt::format("kind = {}\nsource = {}\n", toml_text(record.kind), toml_text(record.source));
    if (!record.mirror.empty()) text += fmt::format("mirror = {}\n", toml_text(record.mirror));
    if (!record.include.empty()) text += fmt::format("include = {}\n", toml_texts(record.include));
    if (!record.exclude.empty()) text += fmt::format("exclude = {}\n", toml_texts(record.exclude));
    if (!record.pinned.empty()) text += fmt::format("pinned = {}\n", toml_texts(record.pinned));
    if (record.pack) text += "pack = true\n";
    return text;
}

Result<std::vector<Image>> list_images(const std::string& base, std::vector<Warning>& warnings) {
    LinuxFiles files;
    const auto directory = join_path(base, "images");
    const auto names = files.list(directory);
    if (!names && names.error().code == ENOENT) return std::vector<Image>{};
    if (!names) return within("list the images", names.error());
    std::vector<Image> images;
    for (const auto& name : *names) {
        const auto path = join_path(directory, name);
        if (!is_name(name) || !files.is_directory(path)) continue;
        Image image;
        image.name = name;
        for (const auto& entry : TRY(files.list(path)))
            if (is_name(entry) && files.is_directory(join_path(path, entry)) &&
                files.exists(join_path(join_path(path, entry), kGenerationMark)))
                image.generations.push_back(entry);
        // An image made by hand: `current` may name a directory that has no mark.
        if (const auto target = files.read_link(join_path(path, "current")); target && is_name(*target)) {
            image.current = *target;
            if (std::ranges::find(image.generations, *target) == image.generations.end() &&
                files.is_directory(join_path(path, *target)))
                image.generations.insert(std::ranges::lower_bound(image.generations, *target), *target);
        }
        // One bad record does not stop what concerns other images, nor the removal of this one.
        if (auto record = read_image_record(path, warnings)) {
            image.pinned = std::move(record->pinned);
        } else {
            image.record_is_bad = true;
            warnings.push_back({{join_path(path, "image.toml"), 0},
                                fmt::format("cannot be used ({})", record.error().cause),
                                record.error().remedy});
        }
        images.push_back(std::move(image));
    }
    return images;
}

}  // namespace diskless::server
