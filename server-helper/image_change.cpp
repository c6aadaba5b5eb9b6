// image add|sync|pin|unpin|rollback|remove|gc: what changes images.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/image/generation.hpp"
#include "server-helper/image/image_use.hpp"
#include "server-helper/image/pack.hpp"
#include "server-helper/image_commands.hpp"
#include "server-helper/model/lock.hpp"
#include "server-helper/stage/stage.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace po = boost::program_options;

namespace {
using Words = std::vector<std::string>;
using Json = nlohmann::ordered_json;

/// Options, the tree and its lock: what all of these commands begin with.
struct Work {
    ParsedOptions options;
    Words words;
    std::optional<TreeLock> lock;
    Cluster cluster;
    LinuxFiles files;

    bool dry() const { return options.has("dry-run"); }
    bool quiet() const { return options.has("quiet"); }
    Result<const Image*> image() const {
        if (const auto* found = cluster.find_image(words[0])) return found;
        return fail(fmt::format("there is no image \"{}\"", printable(words[0])),
                    "diskless-server image list names them");
    }
    std::string directory() const { return image_path(cluster, words[0]); }
};

/// Nothing when --help has been answered.
Result<std::optional<Work>> begin(OptionSet& described, const Words& arguments, Streams& streams, std::size_t least,
                                  std::size_t most) {
    add_tree_options(described, TreeAccess::changes);
    described.take_words("words");
    std::optional<Work> work(std::in_place);
    work->options = TRY(parse_options(described, arguments, streams));
    if (work->options.helped) return std::optional<Work>();
    work->words = work->options.texts("words");
    if (work->words.size() < least) return bad_usage("NAME is missing", "usage: " + std::string(described.usage));
    if (work->words.size() > most)
        return bad_usage(fmt::format("\"{}\" is one word too many", printable(work->words[most])),
                         "usage: " + std::string(described.usage));
    const auto base = TRY(base_of(work->options));
    if (!work->dry()) work->lock = TRY(TreeLock::take(base, &streams.err));
    work->cluster = TRY(load_cluster(base));
    return work;
}

Result<> check_generation(const Image& image, const std::string& generation) {
    if (std::ranges::find(image.generations, generation) != image.generations.end()) return {};
    return fail(fmt::format("image {} has no generation \"{}\"", image.name, printable(generation)),
                "possible are " + join(image.generations, ", "));
}

/// A line on standard error each second, from the third on.
std::function<void(std::uint64_t, std::uint64_t)> progress_to(Streams& streams, bool quiet) {
    using Clock = std::chrono::steady_clock;
    if (quiet) return {};
    return
        [&streams, next = Clock::now() + std::chrono::seconds(2)](std::uint64_t entries, std::uint64_t bytes) mutable {
            if (entries % 64 != 0 || Clock::now() < next) return;
            next = Clock::now() + std::chrono::seconds(1);
            streams.err << fmt::format("{} entries, {:.1f} MB copied\n", entries, static_cast<double>(bytes) / 1e6)
                        << std::flush;
        };
}

void tell_of_access_list(const Packed& packed, Streams& streams) {
    if (!packed.access_list.empty())
        streams.err << fmt::format(
            "warning: squashfs cannot keep access lists, as {} has one: in the packed image its mode alone decides\n",
            printable(packed.access_list));
}

Result<> sync(Work& work, const ImageRecord& record, Streams& streams) {
    SyncRequest request;
    request.base = work.cluster.base;
    request.image = work.words[0];
    request.record = record;
    request.compare_content = work.options.has("checksum");
    request.now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    request.quiet = work.quiet();
    request.progress = progress_to(streams, work.quiet());
    request.unmatched = [&](const std::string& path) {
        streams.err << fmt::format("warning: exclude \"{}\" matches nothing that would be taken from {}\n",
                                   printable(path), record.source);
    };
    const auto result = TRY(sync_image(work.files, request));
    tell_of_access_list(result.packed, streams);
    if (work.options.has("json"))
        streams.out << Json{{"image", request.image},    {"generation", result.generation}, {"made", result.made},
                            {"entries", result.entries}, {"shared", result.shared},         {"bytes", result.bytes}}
                           .dump(2)
                    << '\n';
    else if (!work.quiet())
        streams.out << (result.made ? fmt::format("{}: generation {}, {} entries, {} shared, {:.1f} MB new\n",
                                                  request.image, result.generation, result.entries, result.shared,
                                                  static_cast<double>(result.bytes) / 1e6)
                                    : fmt::format("{}: nothing has changed since generation {}\n", request.image,
                                                  result.generation));
    return {};
}

/// What this machine has of it; nothing where another one, or debootstrap, has it.
bool is_there(const ImageRecord& record) {
    std::error_code problem;
    return record.kind == "root"  ? std::filesystem::is_directory(record.source, problem)
           : record.kind == "tar" ? std::filesystem::is_regular_file(record.source, problem)
                                  : true;
}

Result<ImageRecord> record_of(const ParsedOptions& options) {
    ImageRecord record;
    for (const char* kind : {"root", "tar", "debootstrap", "rsync"}) {
        if (!options.has(kind)) continue;
        if (!record.kind.empty()) return bad_usage(fmt::format("--{} and --{} exclude each other", record.kind, kind));
        record.kind = kind;
        record.source = options.text(kind);
    }
    if (record.kind.empty()) return bad_usage("one of --root, --tar, --debootstrap, --rsync is needed");
    if (record.source.empty() || record.source.starts_with('-'))
        return bad_usage("--" + record.kind + " names nothing");
    std::error_code problem;
    if (record.kind == "root" || record.kind == "tar") {
        record.source = std::filesystem::absolute(record.source, problem).lexically_normal().string();
        while (record.source.size() > 1 && record.source.ends_with('/')) record.source.pop_back();
        if (!is_there(record))
            return fail(fmt::format("--{} {}: there is no such {}", record.kind, record.source,
                                    record.kind == "root" ? "directory" : "file"),
                        record.kind == "root" ? "name the root that nodes are to have, with its etc and usr"
                                              : "name an archive (tar, cpio, zip) that is there");
    }
    if (record.kind == "rsync" && record.source.find(':') == std::string::npos)
        return bad_usage("--rsync needs HOST:/", "a directory of this machine is given by --root");
    record.mirror = options.text("mirror");
    for (const auto& packages : options.texts("include"))
        for (const auto package : split(packages, ',')) {
            if (package.empty() ||
                package.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.:") != package.npos)
                return bad_usage(fmt::format("--include: \"{}\" is no name of a package", printable(package)),
                                 "packages are separated by commas: linux-image-amd64,openssh-server");
            record.include.emplace_back(package);
        }
    if (record.kind != "debootstrap" && (!record.mirror.empty() || !record.include.empty()))
        return bad_usage("--mirror and --include are for --debootstrap alone");
    for (const auto& path : options.texts("exclude")) {
        const auto clean = clean_exclude(path);
        if (!clean || clean->empty())
            return bad_usage(fmt::format("--exclude \"{}\" names nothing below the root", printable(path)),
                             "write the path from the root on, as var/cache/apt/archives or var/log/*.gz");
        record.exclude.push_back(*clean);
    }
    return record;
}

Result<> save_record(Work& work, const ImageRecord& record, Streams& streams) {
    const auto path = join_path(work.directory(), "image.toml");
    const auto changes = TRY(apply_files(work.files, {{path, {to_toml(record), 0644}}}, {}, work.dry()));
    if (work.dry()) tell_changes(changes, work.options, streams);
    return {};
}
/// "--exclude a,b, was c": what the command line would have otherwise than the record.
std::string differences(const ImageRecord& old, const ImageRecord& now) {
    std::vector<std::string> all;
    const auto see = [&](const char* option, const std::string& was, const std::string& is) {
        if (was == is) return;
        const auto shown = [](const std::string& value) { return value.empty() ? "none" : printable(value); };
        all.push_back(fmt::format("--{} {}, was {}", option, shown(is), shown(was)));
    };
    see("mirror", old.mirror, now.mirror);
    see("include", join(old.include, ","), join(now.include, ","));
    see("exclude", join(old.exclude, ","), join(now.exclude, ","));
    return join(all, "; ");
}

/// The source of an image that has no generation yet may have been a mistake: another one takes its place.
Result<> write_down(Work& work, const ImageRecord& record, Streams& streams) {
    const auto& name = work.words[0];
    if (!work.files.exists(join_path(work.directory(), "image.toml"))) return save_record(work, record, streams);
    auto old = TRY(read_image_record(work.directory(), work.cluster.warnings));
    old.pinned.clear();
    if (old == record) return {};
    const auto* image = work.cluster.find_image(name);
    const auto differs =
        old.kind == record.kind && old.source == record.source ? differences(old, record) : std::string();
    if (image && !image->generations.empty())
        return fail(fmt::format("image {} is there already, from {} {}{}{}", name, old.kind, old.source,
                                differs.empty() ? "" : ": ", differs),
                    fmt::format("edit {}/image.toml, take another name, or: diskless-server image remove {}",
                                work.directory(), name));
    return save_record(work, record, streams);
}
}  // namespace

Result<> image_add(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image add NAME --root DIR | --tar FILE | --debootstrap SUITE | --rsync HOST:/";
    described.examples =
        "Writes down where the image comes from, and makes its first generation.\n"
        "Examples:\n"
        "  diskless-server image add debian --debootstrap bookworm --include linux-image-amd64,openssh-server\n"
        "  diskless-server image add compute --rsync node004:/ --exclude var/cache/apt/archives\n"
        "  diskless-server image add site --root /srv/golden\n";
    const auto text = [] { return po::value<std::string>(); };
    described.described.add_options()("root", text()->value_name("DIR"), "a directory of this machine, also /")(
        "tar", text()->value_name("FILE"), "a tar, cpio or zip archive of any compression")(
        "debootstrap", text()->value_name("SUITE"), "a Debian or Ubuntu release")(
        "mirror", text()->value_name("URL"), "that debootstrap takes packages from")(
        "include", po::value<Words>()->value_name("PACKAGE,..."),
        "packages that debootstrap installs, too: a kernel at least")("rsync", text()->value_name("HOST:/"),
                                                                      "a golden machine, by rsync and ssh")(
        "exclude", po::value<Words>()->value_name("PATH"), "what is not taken; may be repeated")(
        "no-sync", "only write it down")("checksum", "compare content, not only sizes and times");
    auto begun = TRY(begin(described, arguments, streams, 1, 1));
    if (!begun) return {};
    auto& work = *begun;
    const auto& name = work.words[0];
    if (!is_name(name))
        return bad_usage(fmt::format("an image cannot be named \"{}\"", printable(name)),
                         "letters, digits, -, . and _ are possible, at most 63");
    const auto record = TRY(record_of(work.options));
    TRY(write_down(work, record, streams));
    if (work.dry() || work.options.has("no-sync")) return {};
    return sync(work, record, streams);
}

Result<> image_sync(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image sync NAME [--checksum]";
    described.examples =
        "Makes a new generation, which shares what has not changed with the last one. Running nodes keep theirs.\n"
        "Example:\n  diskless-server image sync debian\n";
    described.described.add_options()("checksum", "compare content, not only sizes and times");
    auto begun = TRY(begin(described, arguments, streams, 1, 1));
    if (!begun) return {};
    auto& work = *begun;
    TRY(work.image());
    const auto record = TRY(read_image_record(work.directory(), work.cluster.warnings));
    if (record.kind.empty())
        return fail(fmt::format("{}/image.toml does not say where the image comes from", work.directory()),
                    "write kind = \"root\" and source = \"/dir\" into it");
    if (!is_there(record))
        return fail(
            fmt::format("the source of image {} is gone: {} {}", work.words[0], record.kind, record.source),
            fmt::format("bring it back (is it mounted?), or write another source into {}/image.toml", work.directory()),
            ENOENT);
    if (work.dry()) {
        streams.out << fmt::format("would make a generation of {} from {} {}\n", work.words[0], record.kind,
                                   record.source);
        return {};
    }
    return sync(work, record, streams);
}

namespace {
Result<> change_pins(Work& work, Streams& streams, bool pin) {
    const auto* image = TRY(work.image());
    const auto generation = work.words.size() > 1 ? work.words[1] : image->current;
    if (pin) TRY(check_generation(*image, generation));
    auto record = TRY(read_image_record(work.directory(), work.cluster.warnings));
    const bool was = std::erase(record.pinned, generation) > 0;
    if (pin) record.pinned.push_back(generation);
    TRY(save_record(work, record, streams));
    if (!work.dry() && !work.quiet() && !work.options.has("json"))
        streams.out << fmt::format("{}: generation {} {}\n", image->name, printable(generation),
                                   pin   ? "is pinned"
                                   : was ? "is not pinned any more"
                                         : "was not pinned");
    return {};
}
}  // namespace

Result<> image_pin(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image pin NAME [GENERATION]";
    described.examples = "gc leaves a pinned generation. Without a name: the current one.\n";
    auto work = TRY(begin(described, arguments, streams, 1, 2));
    return work ? change_pins(*work, streams, true) : Result<>();
}

Result<> image_unpin(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image unpin NAME [GENERATION]";
    auto work = TRY(begin(described, arguments, streams, 1, 2));
    return work ? change_pins(*work, streams, false) : Result<>();
}

Result<> image_pack(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image pack NAME [GENERATION | --stop]";
    described.examples =
        "Puts a generation into one squashfs file, for nodes with root-mode = \"image\". Without the name of one: the "
        "current one,\nand from now on each that sync makes, until --stop.\n"
        "Examples:\n"
        "  diskless-server image pack debian && diskless-server node set @compute root-mode=image\n"
        "  diskless-server image pack debian --stop\n";
    described.described.add_options()("stop", "no more of those to come; files that are there stay");
    auto begun = TRY(begin(described, arguments, streams, 1, 2));
    if (!begun) return {};
    auto& work = *begun;
    const auto* image = TRY(work.image());
    const bool stop = work.options.has("stop");
    const bool one = work.words.size() > 1;
    if (one && stop) return bad_usage("--stop is for an image, not for a generation");
    const auto generation = one ? work.words[1] : image->current;
    if (!stop && image->generations.empty())
        return fail(fmt::format("image {} has no generation yet", image->name),
                    "diskless-server image sync " + image->name + " makes one");
    if (!stop) TRY(check_generation(*image, generation));
    auto record = TRY(read_image_record(work.directory(), work.cluster.warnings));
    record.pack = !stop;
    Packed packed;
    if (!work.dry() && !stop) {
        packed = TRY(pack_generation(work.files, join_path(work.directory(), generation), work.quiet()));
        tell_of_access_list(packed, streams);
    }
    if (!one) TRY(save_record(work, record, streams));
    if (work.dry() || stop) return {};
    if (work.options.has("json"))
        streams.out << Json{{"image", image->name},
                            {"generation", generation},
                            {"made", packed.made},
                            {"bytes", packed.bytes}}
                           .dump(2)
                    << '\n';
    else if (!work.quiet())
        streams.out << fmt::format("{}: generation {} is packed, {:.1f} MB\n", image->name, generation,
                                   static_cast<double>(packed.bytes) / 1e6);
    return {};
}

Result<> image_rollback(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image rollback NAME [GENERATION]";
    described.examples =
        "Makes the generation before the current one, or the one named, current again. Nodes take it when they boot.\n"
        "Example:\n  diskless-server image rollback debian\n";
    auto begun = TRY(begin(described, arguments, streams, 1, 2));
    if (!begun) return {};
    auto& work = *begun;
    const auto* image = TRY(work.image());
    std::string wanted;
    if (work.words.size() > 1)
        wanted = work.words[1];
    else
        for (const auto& generation : image->generations)
            if (generation < image->current) wanted = generation;
    if (wanted.empty())
        return fail(fmt::format("image {} has no generation before {}", image->name, image->current),
                    "possible are " + join(image->generations, ", "));
    TRY(check_generation(*image, wanted));
    if (!work.dry()) TRY(make_current(work.files, work.directory(), wanted));
    if (!work.quiet() || work.dry())
        streams.out << fmt::format("{}: current {} {}, was {}\n", image->name, work.dry() ? "would be" : "is", wanted,
                                   image->current);
    return {};
}

Result<> image_remove(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image remove NAME [GENERATION]";
    described.examples =
        "Refused while a node boots or runs it.\nExample:\n  diskless-server image remove debian 20260101-120000\n";
    auto begun = TRY(begin(described, arguments, streams, 1, 2));
    if (!begun) return {};
    auto& work = *begun;
    const auto* image = TRY(work.image());
    auto use = TRY(find_image_use(work.cluster));
    const auto shown = join(work.words, "/");
    // A whole image may go although one generation is current: unless somebody boots it.
    if (work.words.size() == 1)
        for (auto& [key, why] : use.reasons)
            std::erase_if(why, [](const auto& reason) { return reason == "current" || reason == kMayBePinned; });
    std::erase_if(use.reasons, [](const auto& entry) { return entry.second.empty(); });
    for (const auto& [key, why] : use.reasons)
        if (key == shown || key.starts_with(shown + "/"))
            return fail(fmt::format("{} is needed: {}", key, join(why, ", ")),
                        "let those nodes boot another first (node set, image unpin)");
    if (!use.unknown.empty())
        return fail("it is not known what these nodes run: " + join(use.unknown, ", "),
                    "boot them again, or remove their snapshots");
    if (work.words.size() == 2) TRY(check_generation(*image, work.words[1]));
    if (work.dry()) {
        streams.out << fmt::format("would remove {}\n", shown);
        return {};
    }
    if (work.words.size() == 2)
        TRY(discard(work.files, work.directory(), work.words[1]));
    else
        TRY(discard(work.files, parent_path(work.directory()), image->name));
    if (!work.quiet() && !work.options.has("json")) streams.out << fmt::format("removed {}\n", shown);
    return {};
}

namespace {
/// Nobody boots what has no name of its own yet, or none any more.
Result<> remove_left_behind(Work& work, Streams& streams) {
    const auto images = join_path(work.cluster.base, "images");
    if (!work.dry() && work.files.is_directory(images)) TRY(finish_discarding(work.files, images));
    for (const auto& image : work.cluster.images) {
        if (!work.words.empty() && image.name != work.words[0]) continue;
        const auto directory = image_path(work.cluster, image.name);
        for (const auto& name : TRY(left_behind(work.files, directory))) {
            if (!work.dry()) TRY(work.files.remove_tree(join_path(directory, name)));
            if (!work.options.has("json") && !work.quiet())
                streams.out << fmt::format("{} {}/{}, not finished\n", work.dry() ? "would remove" : "removed",
                                           image.name, printable(name));
        }
    }
    return {};
}
}  // namespace

Result<> image_gc(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image gc [NAME] [--keep N]";
    described.examples =
        "Removes generations that are not current, not pinned, not among the newest, and that no node boots or runs,\n"
        "and what runs that were killed have left.\n"
        "Example:\n  diskless-server image gc --keep 3 --dry-run\n";
    described.described.add_options()("keep", po::value<int>()->value_name("N")->default_value(2),
                                      "how many of the newest generations of each image stay");
    auto begun = TRY(begin(described, arguments, streams, 0, 1));
    if (!begun) return {};
    auto& work = *begun;
    if (work.options.values["keep"].as<int>() < 0) return bad_usage("--keep is a number from 0 on");
    const auto keep = static_cast<std::size_t>(work.options.values["keep"].as<int>());
    if (!work.words.empty()) TRY(work.image());
    TRY(remove_left_behind(work, streams));
    const auto use = TRY(find_image_use(work.cluster));
    if (!use.unknown.empty())
        return fail("it is not known what these nodes run: " + join(use.unknown, ", ") + "; no generation is removed",
                    "boot them again, or remove their snapshots");
    auto removed = Json::array();
    for (const auto& image : work.cluster.images) {
        if (!work.words.empty() && image.name != work.words[0]) continue;
        const auto directory = image_path(work.cluster, image.name);
        for (std::size_t at = 0; at + keep < image.generations.size(); ++at) {
            const auto& generation = image.generations[at];
            if (use.is_used(image.name, generation)) continue;
            if (!work.dry()) TRY(discard(work.files, directory, generation));
            removed.push_back(image.name + "/" + generation);
            if (!work.options.has("json") && !work.quiet())
                streams.out << fmt::format("{} {}/{}\n", work.dry() ? "would remove" : "removed", image.name,
                                           generation);
        }
    }
    // Kernels of generations that are gone, unless a menu still names them.
    if (!work.dry() && !removed.empty()) {
        const auto site = make_site(TRY(load_cluster(work.cluster.base)));
        if (site) TRY(remove_unused_boot_files(*site, false));  // else boot apply tells what is wrong with the list
    }
    if (work.options.has("json")) streams.out << Json{{"dry_run", work.dry()}, {"removed", removed}}.dump(2) << '\n';
    return {};
}

}  // namespace diskless::server
