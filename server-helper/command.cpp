#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/text.hpp"
#include "server-helper/boot_commands.hpp"
#include "server-helper/image_commands.hpp"
#include "server-helper/init_command.hpp"
#include "server-helper/initramfs_commands.hpp"
#include "server-helper/node_commands.hpp"
#include "server-helper/red_hat_commands.hpp"
#include "server-helper/serve_command.hpp"
#include "server-helper/snapshot_commands.hpp"
#include "server-helper/usb_commands.hpp"

namespace diskless::server {

namespace {
constexpr const char* kSeeHelp = "see: diskless-server help";

/// "add", "set", ... of "node"; none when it is not the first word of commands.
std::vector<std::string> subcommands_of(std::string_view group) {
    std::vector<std::string> found;
    for (const auto& command : commands())
        if (const auto name = split(command.name, ' '); name.size() == 2 && name[0] == group)
            found.emplace_back(name[1]);
    return found;
}

bool asks_for_help(std::string_view word) { return word == "--help" || word == "-h"; }

/// All commands, those of a group as "node", or the help of one.
Result<> show_help(const std::vector<std::string>& arguments, Streams& streams) {
    auto group = join(arguments, " ");
    if (group == "help" || asks_for_help(group)) group.clear();
    for (const auto& command : commands())
        if (!group.empty() && command.name == group) return command.run({"--help"}, streams);
    if (!group.empty() && subcommands_of(group).empty())
        return bad_usage(fmt::format("there is no command \"{}\"", printable(group)), kSeeHelp);
    streams.out << "diskless-server: prepares what diskless nodes need\n\n";
    for (const auto& command : commands())
        if (group.empty() || command.name.starts_with(group + " "))
            streams.out << fmt::format("  {:<20} {}\n", command.name, command.help);
    streams.out
        << "\ndiskless-server COMMAND --help tells more, with examples. Exit status: 0 done, 1 failed, 2 bad usage.\n";
    return {};
}

Result<> show_version(const std::vector<std::string>& arguments, Streams& streams) {
    if (!arguments.empty() && !asks_for_help(arguments[0]))
        return bad_usage(fmt::format("\"{}\" is one word too many", printable(arguments[0])), kSeeHelp);
    streams.out << "diskless-server " DISKLESS_VERSION "\n";
    return {};
}

/// How many arguments the name takes when they begin with it, else 0.
std::size_t words_taken(const Command& command, const std::vector<std::string>& arguments) {
    const auto name = split(command.name, ' ');
    if (arguments.size() < name.size()) return 0;
    return std::equal(name.begin(), name.end(), arguments.begin()) ? name.size() : 0;
}

Result<> dispatch(std::vector<std::string> arguments, Streams& streams) {
    if (arguments.empty()) return bad_usage("no command given", kSeeHelp);
    if (asks_for_help(arguments[0])) arguments[0] = "help";
    if (arguments[0] == "--version") arguments[0] = "version";
    if (arguments[0].starts_with('-'))
        return bad_usage(fmt::format("{} stands before the command", printable(arguments[0])),
                         "options come after it: diskless-server COMMAND [OPTIONS]; see: diskless-server help");
    for (const auto& command : commands())
        if (const auto taken = words_taken(command, arguments)) {
            arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(taken));
            auto done = command.run(arguments, streams);
            if (!done && done.error().code == kUsageCode && done.error().remedy.empty())
                return bad_usage(done.error().cause, fmt::format("see: diskless-server {} --help", command.name));
            return done;
        }
    const auto subcommands = subcommands_of(arguments[0]);
    if (subcommands.empty())
        return bad_usage(fmt::format("there is no command \"{}\"", printable(join(arguments, " "))), kSeeHelp);
    if (arguments.size() > 1 && asks_for_help(arguments[1])) return show_help({arguments[0]}, streams);
    const auto cause = arguments.size() == 1
                           ? fmt::format("{} what?", arguments[0])
                           : fmt::format("there is no command \"{} {}\"", arguments[0], printable(arguments[1]));
    return bad_usage(cause, fmt::format("diskless-server {} {}", arguments[0], join(subcommands, " | ")));
}
}  // namespace

namespace {
/// What helps wherever the call failed: the path stands in the cause.
std::string remedy_of(const Error& error) {
    if (!error.remedy.empty()) return error.remedy;
    switch (error.code) {
        case ENOSPC:
        case EDQUOT:
            return "make room on that file system";
        case EROFS:
            return "that file system is read-only: mount it read-write";
        case EACCES:
        case EPERM:
            return ::geteuid() == 0 ? "" : "run it as root";  // what other users may not do, root mostly may
        default:
            return "";
    }
}
}  // namespace

Failure bad_usage(std::string cause, std::string remedy) {
    return fail(std::move(cause), std::move(remedy), kUsageCode);
}

const std::vector<Command>& commands() {
    static const std::vector<Command> table = {
        {"init", "make a tree, and say what this machine lacks", init_tree},
        {"image add", "make an image from a directory, an archive, debootstrap or a machine", image_add},
        {"image sync", "make a new generation of an image", image_sync},
        {"image list", "list images", image_list},
        {"image show", "list generations and who needs them", image_show},
        {"image check", "find what would fail on a read-only root", image_check},
        {"image pin", "keep a generation", image_pin},
        {"image unpin", "keep it no longer", image_unpin},
        {"image pack", "put a generation into one file", image_pack},
        {"image rollback", "make an older generation current", image_rollback},
        {"image remove", "remove an image or a generation that no node needs", image_remove},
        {"image gc", "remove generations that no node needs", image_gc},
        {"node add", "add nodes", node_add},
        {"node import", "take nodes from hosts, CSV or leases files", node_import},
        {"node list", "list nodes", node_list},
        {"node show", "show all that nodes inherit", node_show},
        {"node set", "change settings of nodes", node_set},
        {"node rename", "give a node another name", node_rename},
        {"node remove", "take nodes out of the list", node_remove},
        {"initramfs build", "build the initramfs of a kernel", build_initramfs},
        {"initramfs show", "list what an initramfs holds", show_initramfs},
        {"initramfs manifest", "describe the modules of an image that another tool builds", print_tree_manifest},
        {"initramfs modules", "name the modules that another tool should take into an image", print_common_modules},
        {"boot apply", "render and install boot menus, DHCP, NFS and host files", apply_boot},
        {"usb create", "make a stick that a node boots from", usb_create},
        {"serve", "serve DHCP, TFTP and NFS in the foreground", serve},
        {"check", "find what is wrong with exports, nodes and images", check_site},
        {"snapshot prepare", "make what nodes may write ready before they boot", snapshot_prepare},
        {"snapshot status", "tell what is in snapshots", snapshot_status},
        {"snapshot diff", "tell what differs from the image", snapshot_diff},
        {"snapshot reset", "make a snapshot anew; the node stays who it is", snapshot_reset},
        {"snapshot rename", "give a snapshot another name", snapshot_rename},
        {"snapshot archive", "keep a snapshot as tar.zst", snapshot_archive},
        {"snapshot remove", "remove a node's snapshot", snapshot_remove},
        {"simulate", "tell what a node will do, before it is switched on", simulate},
        {"status", "tell how each node's last boot went", cluster_status},
        {"pxeos", "Red Hat's pxeos: operating systems of diskless nodes", pxeos},
        {"pxeboot", "Red Hat's pxeboot: diskless nodes", pxeboot},
        {"version", "print the version", show_version},
        {"help", "print this, or the help of a command", show_help},
    };
    return table;
}

int run(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
    Streams streams{out, err};
    const auto done = dispatch(arguments, streams);
    out.flush();
    if (done && out) return kDone;
    if (done) {
        err << "diskless-server: cannot write the output\n";
        return kFailed;
    }
    err << "diskless-server: " << done.error().cause << '\n';
    if (const auto remedy = remedy_of(done.error()); !remedy.empty()) err << "  " << remedy << '\n';
    return done.error().code == kUsageCode ? kBadUsage : kFailed;
}

}  // namespace diskless::server
