// diskless-server usb create: a stick that one node boots from.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/place_file.hpp"
#include "server-helper/snapshot_commands.hpp"
#include "server-helper/stage/scratch.hpp"
#include "server-helper/tree_options.hpp"
#include "server-helper/usb/stick_device.hpp"
#include "server-helper/usb/stick_image.hpp"
#include "server-helper/usb/stick_text.hpp"
#include "server-helper/usb_commands.hpp"

namespace diskless::server {

namespace {
namespace po = boost::program_options;

OptionSet options() {
    OptionSet set;
    set.usage = "diskless-server usb create NODE --out FILE | --device DEVICE [OPTIONS]";
    set.examples =
        "Examples:\n"
        "  diskless-server usb create node001 --out node001.img    an image, to be written with dd or the like\n"
        "  diskless-server usb create node001 --device /dev/sdb    what is on that stick is lost\n"
        "  diskless-server usb create node001 --out x.img --dhcp   the node asks for its address\n";
    add_tree_options(set, TreeAccess::changes);
    // clang-format off
    set.described.add_options()
        ("out,o", po::value<std::string>()->value_name("FILE"), "write an image of the stick")
        ("device", po::value<std::string>()->value_name("DEVICE"), "write the stick itself: a whole device, unused")
        ("fat16", "a file system that also the boot loaders and firmware of before 2005 read")
        ("force", "also a device that does not say that it is removable")
        ("dhcp", "ip= as PXE nodes have it, in place of the address in the node list");
    // clang-format on
    set.take_word("node");
    return set;
}

struct Request {
    std::string node, out, device;
    bool force = false, fat16 = false, dhcp = false, json = false, quiet = false, dry_run = false;
};

Result<std::string> boot_file(const Cluster& cluster, const std::string& file, bool staged) {
    const auto path = boot_path(cluster, "tftp/" + file);
    const auto status = status_in_root({"/", path});  // where a symlink leads to
    if (status && status->kind == FileKind::regular) return path;
    return fail(path + (status ? " is no file" : " does not exist"),
                staged ? "diskless-server boot apply" : "put it there");
}

Result<StickContent> content_of(const Cluster& cluster, const ResolvedNode& node, bool static_address,
                                std::string& command_line) {
    StickContent content;
    command_line = TRY(stick_command_line(cluster, node, static_address));
    content.kernel = TRY(boot_file(cluster, node.kernel, node.stages_kernel));
    content.initramfs = TRY(boot_file(cluster, node.initramfs, node.stages_initramfs));
    content.syslinux_config = TRY(stick_syslinux_config(node, command_line));
    content.grub_config = TRY(stick_grub_config(node, command_line));
    return content;
}

/// A line on standard error for each step, and every two seconds while a stick is written.
class Progress {
  public:
    Progress(Streams& streams, bool quiet) : streams_(streams), quiet_(quiet) {}
    void say(const std::string& what) {
        if (!quiet_) streams_.err << what << " ...\n" << std::flush;
    }
    void written(std::uint64_t done, std::uint64_t all) {
        const auto now = std::chrono::steady_clock::now();
        if (quiet_ || now < next_) return;
        next_ = now + std::chrono::seconds(2);
        streams_.err << fmt::format("{}: {} %\n", done * 2 < all ? "written" : "read back",
                                    done * 2 < all ? done * 200 / all : (done * 2 - all) * 100 / all)
                     << std::flush;
    }

  private:
    Streams& streams_;
    bool quiet_;
    std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::seconds(2);
};

Result<> make(const Request& request, const StickContent& content, const StickLoaders& loaders, Streams& streams) {
    Progress progress(streams, request.quiet);
    const auto say = [&](const std::string& what) { progress.say(what); };
    if (!request.out.empty()) {
        TRY_TO("make " + request.out, make_stick_image(content, loaders, request.out, say));
        return {};
    }
    const auto scratch = TRY(Scratch::make());
    const auto image = join_path(scratch.path(), "stick");
    TRY_TO("make an image for " + request.device, make_stick_image(content, loaders, image, say));
    progress.say("writing " + request.device);
    return write_device(image, request.device,
                        [&](std::uint64_t done, std::uint64_t all) { progress.written(done, all); });
}

void tell(const Request& request, const ResolvedNode& node, const StickLoaders& loaders, std::uint64_t size,
          const std::string& command_line, const std::vector<std::string>& warnings, Streams& streams) {
    const auto& target = request.out.empty() ? request.device : request.out;
    if (request.json) {
        const nlohmann::ordered_json json{{"dry_run", request.dry_run},
                                          {"node", node.name},
                                          {"target", target},
                                          {"bytes", size},
                                          {"bios", loaders.bios()},
                                          {"uefi", loaders.uefi()},
                                          {"kernel", node.kernel},
                                          {"initramfs", node.initramfs},
                                          {"command_line", command_line},
                                          {"warnings", warnings}};
        streams.out << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
        return;
    }
    if (request.quiet && !request.dry_run) return;
    const auto firmware = loaders.bios() && loaders.uefi() ? "BIOS and UEFI" : loaders.bios() ? "BIOS" : "UEFI";
    streams.out << fmt::format("{}{}: {} MiB, boots {} with {}\n  {}\n", request.dry_run ? "would write " : "", target,
                               size >> 20, node.name, firmware, command_line);
}

Result<> check_out(const std::string& out) {
    if (const auto status = LinuxFiles().status(out); status && status->kind != FileKind::regular)
        return fail(out + " is no plain file", "a stick is written by --device; --out takes a new file");
    const auto directory = parent_path(out);
    if (!LinuxFiles().is_directory(directory))
        return fail(fmt::format("--out {}: there is no directory {}", out, directory), "make it, or name another");
    if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        return fail_errno(fmt::format("--out {}: write into {}", out, directory), errno,
                          errno == EROFS ? "name a directory that can be written" : "");
    return {};
}

Result<Request> request_of(const ParsedOptions& parsed) {
    Request request;
    request.node = parsed.text("node");
    request.out = parsed.text("out");
    request.device = parsed.text("device");
    for (const auto& [name, flag] :
         {std::pair{"force", &request.force}, std::pair{"fat16", &request.fat16}, std::pair{"dhcp", &request.dhcp},
          std::pair{"json", &request.json}, std::pair{"quiet", &request.quiet}, std::pair{"dry-run", &request.dry_run}})
        *flag = parsed.has(name);
    if (request.node.empty()) return bad_usage("which node is the stick for?");
    if (!request.out.empty() && !request.device.empty()) return bad_usage("--out and --device exclude each other");
    if (request.out.empty() && request.device.empty()) return bad_usage("one of --out and --device is needed");
    std::error_code problem;
    if (!request.out.empty()) {
        request.out = std::filesystem::absolute(request.out, problem).lexically_normal().string();
        TRY(check_out(request.out));
    }
    return request;
}
}  // namespace

Result<> usb_create(const std::vector<std::string>& arguments, Streams& streams) {
    auto set = options();
    const auto parsed = TRY(parse_options(set, arguments, streams));
    if (parsed.helped) return {};
    const auto request = TRY(request_of(parsed));
    const auto cluster = TRY(load_tree(parsed, streams));
    const auto node = TRY(resolve(cluster, request.node));
    std::string command_line;
    auto content = TRY(content_of(cluster, node, !request.dhcp, command_line));
    content.fat16 = request.fat16;
    std::vector<std::string> warnings;
    const auto loaders = TRY(find_stick_loaders("/", warnings));
    for (const auto& warning : warnings) streams.err << "warning: " << warning << '\n';
    const auto size = TRY(stick_image_size(content, loaders));
    if (!request.device.empty()) {
        const auto device = TRY(look_at_device(request.device));
        TRY(check_device(device, size, request.force));
    }
    if (!request.dry_run && node.own_root)
        TRY(snapshot_prepare({"--base", cluster.base, "--quiet", node.name}, streams));
    if (!request.dry_run) TRY(make(request, content, loaders, streams));
    tell(request, node, loaders, size, command_line, warnings, streams);
    return {};
}

}  // namespace diskless::server
