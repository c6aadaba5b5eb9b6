// state: each entry of the node's state as it is now.
#include <fmt/core.h>

#include <algorithm>

#include "agent/ctl/commands.hpp"
#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless::ctl {

namespace {

constexpr Nanoseconds kLookDeadline = Seconds{5};  // for one entry
constexpr std::size_t kMostFiles = 20'000;         // counted in one entry

struct Look {
    std::uint64_t bytes = 0;
    std::int64_t newest = 0;  // modification time, seconds since 1970
    std::size_t files = 0;
    bool whole = true;  // everything was counted
};

/// Runs in a child: the tree may be on a server that is gone.
Result<> look_at(const Files& files, const std::string& path, std::uint64_t device, Look& look) {
    const auto found = files.status(path);
    if (!found) return Failure(found.error());
    if (device != 0 && found->device != device) return {};  // another entry, mounted below this one
    if (++look.files > kMostFiles) {
        look.whole = false;
        return {};
    }
    look.newest = std::max(look.newest, found->modified);
    if (found->kind == FileKind::regular) look.bytes += found->size;
    if (found->kind != FileKind::directory) return {};
    const auto names = files.list(path);
    if (!names) return Failure(names.error());
    for (const auto& name : *names) {
        if (!look.whole) break;
        // What vanishes meanwhile is not worth a word.
        (void)look_at(files, join_path(path, name), found->device, look);
    }
    return {};
}

/// "<bytes> <newest> <whole>" from the child.
Result<Look> look_in_child(CtlWorld& world, const std::string& path) {
    const auto text = world.processes.in_child("look at " + path, Deadline::after(world.clock, kLookDeadline),
                                               [&]() -> Result<std::string> {
                                                   Look look;
                                                   TRY(look_at(world.files, path, 0, look));
                                                   return fmt::format("{} {} {}", look.bytes, look.newest, +look.whole);
                                               });
    if (!text) return Failure(text.error());
    const auto parts = words(*text);
    if (parts.size() != 3) return fail("look at " + path + ": no answer");
    Look look;
    look.bytes = parse_number<std::uint64_t>(parts[0]).value_or(0);
    look.newest = parse_number<std::int64_t>(parts[1]).value_or(0);
    look.whole = parts[2] == "1";
    return look;
}

}  // namespace

int state(CtlWorld& world, const ParsedOptions& options) {
    const auto report = boot_report(world);
    if (!report) return failed(world, report.error());
    JsonWriter json(2);
    json.begin_array();
    std::string text = fmt::format("{:<11} {:>10}  {:<8} {:<32} {}\n", "KIND", "SIZE", "CHANGED", "PATH", "SOURCE");
    bool server_gone = false;
    for (const auto& entry : report->state) {
        // One entry that hangs tells enough about the server; the others would hang as well.
        auto look = server_gone ? Result<Look>(fail("not looked at: the server does not answer"))
                                : look_in_child(world, entry.path);
        if (!look && look.error().code == ETIMEDOUT) server_gone = true;
        const std::string problem = !entry.problem.empty() ? entry.problem : look ? "" : look.error().cause;
        const bool changed = look && look->newest > report->wall_started;

        text += printable(fmt::format("{:<11} {:>10}  {:<8} {:<32} {}", entry.kind,
                                      look ? (look->whole ? "" : ">") + bytes_text(look->bytes) : "?",
                                      look ? (changed ? "yes" : "no") : "?", entry.path, entry.source)) +
                "\n";
        if (!problem.empty()) text += "            -> " + printable(problem) + "\n";

        json.begin_object();
        json.member("path", entry.path);
        json.member("kind", entry.kind);
        json.member("source", entry.source);
        if (look) {
            json.member("bytes", static_cast<std::int64_t>(look->bytes));
            json.member("whole", look->whole);
            json.member("changed", changed);
        }
        json.member("problem", problem);
        json.end_object();
    }
    json.end_array();
    world.out.write(options.has("json") ? json.text() + "\n" : text);
    return kExitDone;
}

}  // namespace diskless::ctl
