// image list|show|check: what only looks.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "server-helper/image/image_check.hpp"
#include "server-helper/image/image_use.hpp"
#include "server-helper/image_commands.hpp"
#include "server-helper/model/image_list.hpp"
#include "server-helper/tree_options.hpp"

namespace diskless::server {

namespace po = boost::program_options;

namespace {
using Words = std::vector<std::string>;
using Json = nlohmann::ordered_json;

Result<ParsedOptions> parse(OptionSet& described, const Words& arguments, Streams& streams) {
    add_tree_options(described, TreeAccess::reads);
    described.take_words("words");
    return parse_options(described, arguments, streams);
}

Result<const Image*> image_of(const Cluster& cluster, const std::string& name) {
    if (const auto* image = cluster.find_image(name)) return image;
    return fail(fmt::format("there is no image \"{}\"", printable(name)), "diskless-server image list names them");
}
}  // namespace

Result<> image_list(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image list [--json]";
    const auto options = TRY(parse(described, arguments, streams));
    if (options.helped) return {};
    if (const auto words = options.texts("words"); !words.empty())
        return bad_usage(fmt::format("\"{}\" is one word too many", printable(words[0])),
                         "usage: " + std::string(described.usage) + "; of one image: image show NAME");
    auto cluster = TRY(load_tree(options, streams));
    auto list = Json::array();
    for (const auto& image : cluster.images) {
        const auto read = read_image_record(image_path(cluster, image.name), cluster.warnings);
        const auto record = read.value_or(ImageRecord{});  // a bad one has been warned of
        if (options.has("json"))
            list.push_back({{"name", image.name},
                            {"current", image.current},
                            {"generations", image.generations},
                            {"kind", record.kind},
                            {"source", record.source}});
        else
            streams.out << fmt::format("{:<20}  {:<20}  {} generation{}, {} {}\n", image.name,
                                       image.current.empty() ? "-" : image.current, image.generations.size(),
                                       image.generations.size() == 1 ? "" : "s", record.kind, record.source);
    }
    if (options.has("json")) streams.out << list.dump(2) << '\n';
    return {};
}

Result<> image_show(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image show NAME [--json]";
    described.examples = "Its generations, and who needs each of them.\n";
    const auto options = TRY(parse(described, arguments, streams));
    if (options.helped) return {};
    if (options.texts("words").size() != 1)
        return bad_usage("one image is to be named", "usage: " + std::string(described.usage));
    const auto cluster = TRY(load_tree(options, streams));
    const auto* image = TRY(image_of(cluster, options.texts("words")[0]));
    const auto use = TRY(find_image_use(cluster));
    auto list = Json::array();
    for (const auto& generation : image->generations) {
        const auto found = use.reasons.find(image->name + "/" + generation);
        const auto why = found == use.reasons.end() ? Words{} : found->second;
        if (options.has("json"))
            list.push_back({{"generation", generation}, {"current", generation == image->current}, {"needed", why}});
        else
            streams.out << fmt::format("{:<20}  {}\n", generation, why.empty() ? "not needed" : join(why, ", "));
    }
    if (options.has("json"))
        streams.out << Json{{"image", image->name}, {"generations", list}, {"unknown", use.unknown}}.dump(2) << '\n';
    else if (!use.unknown.empty())
        streams.out << "not known what they run: " << join(use.unknown, ", ") << '\n';
    return {};
}

Result<> image_check(const Words& arguments, Streams& streams) {
    OptionSet described;
    described.usage = "diskless-server image check NAME [GENERATION] [--json]";
    described.examples =
        "What would fail on a read-only root, each with its remedy. Remedies are for the image's source: a generation "
        "is\n"
        "never changed.\nExample:\n  diskless-server image check debian\n";
    const auto options = TRY(parse(described, arguments, streams));
    if (options.helped) return {};
    const auto names = options.texts("words");
    if (names.empty() || names.size() > 2)
        return bad_usage("one image is to be named", "usage: " + std::string(described.usage));
    const auto cluster = TRY(load_tree(options, streams));
    const auto* image = TRY(image_of(cluster, names[0]));
    const auto generation = names.size() > 1 ? names[1] : image->current;
    if (std::ranges::find(image->generations, generation) == image->generations.end())
        return fail(fmt::format("image {} has no generation \"{}\"", image->name, printable(generation)),
                    "diskless-server image sync " + image->name + " makes one");
    const auto findings = check_image(image_path(cluster, image->name) + "/" + generation);
    auto list = Json::array();
    bool fatal = false;
    for (const auto& finding : findings) {
        fatal |= finding.fatal;
        if (options.has("json"))
            list.push_back({{"severity", finding.fatal ? "error" : "warning"},
                            {"finding", finding.what},
                            {"remedy", finding.remedy}});
        else
            streams.out << fmt::format("{}: {}\n  {}\n", finding.fatal ? "error" : "warning", finding.what,
                                       finding.remedy);
    }
    if (options.has("json"))
        streams.out << Json{{"image", image->name}, {"generation", generation}, {"findings", list}}.dump(2) << '\n';
    else if (findings.empty() && !options.has("quiet"))
        streams.out << fmt::format("{}/{}: nothing found\n", image->name, generation);
    if (fatal) return fail(fmt::format("nodes cannot boot {}/{}", image->name, generation));
    return {};
}

}  // namespace diskless::server
