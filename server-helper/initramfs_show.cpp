#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "initramfs/cpio.hpp"
#include "initramfs/host_files.hpp"
#include "initramfs/tree_manifest.hpp"
#include "server-helper/initramfs_commands.hpp"
#include "server-helper/options.hpp"

namespace diskless::server {

namespace po = boost::program_options;

namespace {
char kind_letter(EntryKind kind) {
    switch (kind) {
        case EntryKind::directory:
            return 'd';
        case EntryKind::symlink:
            return 'l';
        case EntryKind::character_device:
            return 'c';
        case EntryKind::file:
            break;
    }
    return '-';
}

/// The manifest's text; empty when the image has none.
std::string manifest_text(const std::vector<ImageEntry>& entries) {
    for (const auto& entry : entries)
        if (entry.path == kManifestPath) return entry.content;
    return {};
}

void print_json(const std::vector<ImageEntry>& entries, const Manifest& manifest, std::ostream& out) {
    nlohmann::ordered_json json = {
        {"kernel", manifest.kernel}, {"built", manifest.built}, {"parameters", printable(manifest.parameters)}};
    for (const auto& group : manifest.groups) json["groups"][group.name] = group.modules;
    json["modules"] = nlohmann::json::array();
    for (const auto& module : manifest.modules)
        json["modules"].push_back({{"name", module.name}, {"path", module.path}, {"needs", module.needs}});
    for (const auto& entry : entries)
        json["entries"].push_back({{"path", printable(entry.path)},
                                   {"kind", std::string(1, kind_letter(entry.kind))},
                                   {"mode", fmt::format("{:04o}", entry.mode)},
                                   {"bytes", entry.content.size()}});
    out << json.dump(2) << '\n';
}
}  // namespace

Result<> show_initramfs(const std::vector<std::string>& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server initramfs show [OPTIONS] FILE";
    described.examples = "Example:\n  diskless-server initramfs show /srv/tftp/initrd.img --manifest\n";
    described.described.add_options()("manifest", "print the manifest as it is")("json",
                                                                                 "print entries and manifest as JSON");
    described.take_word("file");
    const auto options = TRY(parse_options(described, arguments, streams));
    if (options.helped) return {};
    if (!options.has("file")) return bad_usage("FILE is missing", "usage: " + std::string(described.usage));

    const auto file = options.text("file");
    const auto image = TRY(read_input_file(file));
    const auto entries = TRY_TO("show " + file, read_cpio(image));
    const auto text = manifest_text(entries);
    if (options.has("manifest")) {
        if (text.empty()) return fail(fmt::format("{} has no {}", file, kManifestPath), "it is no image of ours");
        streams.out << text;
        return {};
    }
    const auto manifest = text.empty() ? Manifest{} : TRY_TO("show " + file, parse_manifest(text));
    if (options.has("json")) {
        print_json(entries, manifest, streams.out);
        return {};
    }
    for (const auto& entry : entries)
        streams.out << fmt::format("{} {:04o} {:>9} {}{}\n", kind_letter(entry.kind), entry.mode, entry.content.size(),
                                   printable(entry.path),
                                   entry.kind == EntryKind::symlink ? " -> " + printable(entry.content) : "");
    if (text.empty()) return {};
    streams.out << fmt::format("\nkernel {}, built {}, {} modules\n", manifest.kernel, manifest.built,
                               manifest.modules.size());
    for (const auto& group : manifest.groups)
        streams.out << fmt::format("group {}: {}\n", group.name, join(group.modules, " "));
    return {};
}

Result<> print_tree_manifest(const std::vector<std::string>& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server initramfs manifest --kernel VERSION --for-tree DIR [--root DIR]";
    described.examples =
        "Example, in a hook of another tool:\n"
        "  diskless-server initramfs manifest --kernel $version --for-tree $DESTDIR\n";
    described.described.add_options()("kernel,k", po::value<std::string>(), "release, as below lib/modules")(
        "for-tree", po::value<std::string>(), "the unpacked image")(
        "root", po::value<std::string>()->default_value("/"), "where the kernel's lib/modules is");
    const auto options = TRY(parse_options(described, arguments, streams));
    if (options.helped) return {};
    if (!options.has("kernel") || !options.has("for-tree"))
        return bad_usage("--kernel and --for-tree are both needed", "usage: " + std::string(described.usage));
    const auto time = TRY(source_date_epoch());
    const auto tree =
        TRY(manifest_for_tree(options.text("for-tree"), options.text("kernel"), options.text("root"), time));
    for (const auto& warning : tree.warnings) streams.err << "warning: " << warning << '\n';
    streams.out << to_text(tree.manifest);
    return {};
}

Result<> print_common_modules(const std::vector<std::string>& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server initramfs modules --kernel VERSION [--root DIR]";
    described.described.add_options()("kernel,k", po::value<std::string>(), "release, as below lib/modules")(
        "root", po::value<std::string>()->default_value("/"), "where the kernel's lib/modules is");
    const auto options = TRY(parse_options(described, arguments, streams));
    if (options.helped) return {};
    if (!options.has("kernel")) return bad_usage("--kernel is missing", "usage: " + std::string(described.usage));
    for (const auto& name : TRY(common_modules(options.text("kernel"), options.text("root"))))
        streams.out << name << '\n';
    return {};
}

}  // namespace diskless::server
