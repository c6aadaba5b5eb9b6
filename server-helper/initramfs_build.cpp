#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/text.hpp"
#include "initramfs/builder.hpp"
#include "initramfs/host_files.hpp"
#include "initramfs/module_file.hpp"
#include "initramfs/module_sets.hpp"
#include "initramfs/module_tree.hpp"
#include "server-helper/initramfs_commands.hpp"
#include "server-helper/options.hpp"

namespace diskless::server {

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace {
OptionSet build_options() {
    OptionSet options;
    options.usage = "diskless-server initramfs build --kernel VERSION [OPTIONS]";
    options.examples =
        "Examples:\n"
        "  diskless-server initramfs build --kernel $(uname -r)\n"
        "  diskless-server initramfs build --kernel 6.1.0-31-amd64 --root /srv/diskless/images/debian/current \\\n"
        "      --out /srv/tftp/initrd.img --parameters \"ip=dhcp root=/dev/nfs\"\n"
        "  diskless-server initramfs build --kernel 6.1.0-31-amd64 --modules virtio_net,virtio_pci\n";
    const auto text = [] { return po::value<std::string>(); };
    // clang-format off
    options.described.add_options()
        ("kernel,k", text()->value_name("VERSION"), "release, as below lib/modules")
        ("root", text()->value_name("DIR")->default_value("/"), "where lib/modules and lib/firmware are")
        ("out,o", text()->value_name("FILE"), "the image; default initrd-VERSION.img")
        ("program", text()->value_name("FILE"), "static node program; default diskless-init beside this program")
        ("modules,m", text()->value_name("LIST|FILE"), "these drivers (and NFS) in place of the common ones")
        ("hostonly", "only what the devices of this machine ask for")
        ("image-root", "take in what mounts a root that is one file: loop, squashfs, erofs, overlay")
        ("firmware", "take in the firmware that the drivers may ask for")
        ("strip", "smaller modules, without signatures: not for Secure Boot")
        ("shell", "an emergency shell for diskless.onfail=shell: /bin/busybox, which must be static")
        ("busybox", text()->value_name("FILE"), "the same with this static busybox")
        ("add,a", po::value<std::vector<std::string>>()->value_name("FILE[:PATH]"), "one more file; may be repeated")
        ("parameters,p", text()->value_name("TEXT"), "default kernel parameters; the command line overrides them")
        ("level", po::value<int>()->value_name("N")->default_value(22), "of zstd, 1 to 22")
        ("json", "print the result as JSON")
        ("quiet,q", "print warnings and failures only");
    // clang-format on
    return options;
}

/// The node program that was installed, or built, with this one.
std::string default_program() {
    std::error_code ignored;
    const auto here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    for (const auto& path :
         {here / "diskless-init", here / "../lib/diskless/diskless-init", here / "../init/diskless-init-stripped"})
        if (fs::is_regular_file(path, ignored)) return path.lexically_normal().string();
    return (here / "diskless-init").string();
}

Result<AddedFile> added_file(const std::string& text) {
    const auto colon = text.rfind(":/");
    AddedFile file{text.substr(0, colon), colon == std::string::npos ? text : text.substr(colon + 1)};
    std::error_code problem;
    file.source = fs::absolute(file.source, problem).string();
    if (colon == std::string::npos) file.target = file.source;
    if (!fs::is_regular_file(file.source, problem))
        return fail(fmt::format("--add {}: {} is not a file", text, file.source),
                    colon == std::string::npos && text.find(':') != std::string::npos
                        ? "FILE:PATH has a path that begins with /: the place in the image"
                        : "");
    file.target = fs::path(file.target).lexically_normal().string();
    if (file.target.ends_with('/')) file.target += fs::path(file.source).filename().string();
    return file;
}

Result<BuildRequest> request_of(const ParsedOptions& options) {
    BuildRequest request;
    request.kernel = options.text("kernel");
    request.root = options.text("root");
    if (request.kernel.empty()) {
        const auto kernels = kernels_in(request.root);
        const auto modules = (fs::path(request.root) / "lib/modules").string();
        return bad_usage("--kernel is missing", kernels.empty()
                                                    ? "there is no kernel in " + modules + "; name another --root"
                                                    : "in " + modules + ": " + join(kernels, ", "));
    }
    if (options.has("hostonly") && options.has("modules"))
        return bad_usage("--hostonly and --modules exclude each other");
    request.level = options.values["level"].as<int>();
    if (request.level < 1 || request.level > 22) return bad_usage("--level is from 1 to 22");
    request.program = options.has("program") ? options.text("program") : default_program();
    if (options.has("busybox"))
        request.shell = options.text("busybox");
    else if (options.has("shell"))
        request.shell = "/bin/busybox";
    if (options.has("modules")) {
        request.drivers = DriverChoice::listed;
        request.modules = TRY(module_list(options.text("modules")));
    }
    if (options.has("hostonly")) request.drivers = DriverChoice::host;
    request.image_root = options.has("image-root");
    request.firmware = options.has("firmware");
    request.strip = options.has("strip");
    request.parameters = std::string(trim(options.text("parameters")));
    if (request.parameters.find('\n') != std::string::npos) return bad_usage("--parameters is one line");
    for (const auto& text : options.texts("add")) request.files.push_back(TRY(added_file(text)));
    request.built = TRY(source_date_epoch());
    return request;
}

std::string bytes(std::uint64_t count) { return fmt::format("{:>10.1f} kB", static_cast<double>(count) / 1000); }

void print_sizes(const BuildResult& result, const std::string& out, Streams& streams) {
    for (const auto& part : part_sizes(result.entries))
        if (part.files)
            streams.out << fmt::format("{:<10}{} in {} file{}\n", part.part, bytes(part.bytes), part.files,
                                       part.files == 1 ? "" : "s");
    streams.out << fmt::format("{:<10}{}\n{:<10}{}  {}\n", "unpacked", bytes(result.unpacked), "image",
                               bytes(result.image.size()), out);
}

void print_json(const BuildResult& result, const std::string& out, Streams& streams) {
    nlohmann::ordered_json parts;
    for (const auto& part : part_sizes(result.entries))
        parts[part.part] = {{"files", part.files}, {"bytes", part.bytes}};
    nlohmann::ordered_json json = {{"image", out},
                                   {"kernel", result.manifest.kernel},
                                   {"built", result.manifest.built},
                                   {"bytes", result.image.size()},
                                   {"unpacked_bytes", result.unpacked},
                                   {"parts", parts},
                                   {"warnings", result.warnings}};
    streams.out << json.dump(2) << '\n';
}
}  // namespace

Result<std::optional<std::int64_t>> source_date_epoch() {
    const char* text = std::getenv("SOURCE_DATE_EPOCH");
    if (!text) return std::nullopt;
    const auto seconds = parse_number<std::int64_t>(text);
    // newc has 32 bits for a time.
    if (!seconds || *seconds < 0 || *seconds > 0xFFFFFFFF)
        return fail(fmt::format("SOURCE_DATE_EPOCH is no time in seconds since 1970: \"{}\"", printable(text)));
    return seconds;
}

Result<BuildRequest> initramfs_request(const std::vector<std::string>& options) {
    auto described = build_options();
    std::ostringstream nobody;
    Streams streams{nobody, nobody};
    const auto parsed = parse_options(described, options, streams);
    auto request = !parsed          ? Result<BuildRequest>(Failure(parsed.error()))
                   : parsed->helped ? bad_usage("--help is no option of what is built")
                                    : request_of(*parsed);
    if (!request && request.error().remedy.empty())
        return fail(request.error().cause, "see: diskless-server initramfs build --help", request.error().code);
    return request;
}

Result<> build_initramfs(const std::vector<std::string>& arguments, Streams& streams) {
    auto described = build_options();
    const auto options = TRY(parse_options(described, arguments, streams));
    if (options.helped) return {};
    const auto request = TRY(request_of(options));
    const auto out = options.has("out") ? options.text("out") : "initrd-" + request.kernel + ".img";
    const auto result = TRY_TO("build " + out, build_image(request));
    for (const auto& warning : result.warnings) streams.err << "warning: " << warning << '\n';
    TRY(write_output_file(out, result.image));
    if (options.has("json"))
        print_json(result, out, streams);
    else if (!options.has("quiet"))
        print_sizes(result, out, streams);
    return {};
}

}  // namespace diskless::server
