// status, report, plan, version: what only shows.
#include <fmt/core.h>

#include "agent/ctl/commands.hpp"
#include "common/base/text.hpp"
#include "common/report/boot_report.hpp"

namespace diskless::ctl {

int status(CtlWorld& world, const ParsedOptions& options) {
    const auto status = node_status_now(world);
    if (!status) return failed(world, status.error());
    world.out.write(options.has("json") ? to_json(*status) : status_text(*status));
    return kExitDone;
}

int report(CtlWorld& world, const ParsedOptions& options) {
    if (options.has("svg") + options.has("json") > 1) return bad_usage(world, "report", "either --svg or --json");
    int width = 100;
    if (options.has("width")) {
        const auto given = parse_number<int>(options.value("width"));
        if (!given || *given < 60 || *given > 1000)
            return bad_usage(world, "report", "--width takes 60 to 1000 columns");
        width = *given;
    }
    Result<BootReport> report;
    if (options.operands.empty()) {
        report = boot_report(world);
    } else {
        const auto content = world.files.read(options.operands.front(), 4 << 20);
        report = content ? boot_report_from_json(*content) : Result<BootReport>(Failure(content.error()));
        if (content && !report)
            report = fail(fmt::format("{}: {}", printable(options.operands.front()), report.error().cause),
                          "name a boot.json, as snapshots have in .diskless", report.error().code);
    }
    if (!report) return failed(world, report.error());
    const bool utf8 = options.has("utf8") || (world.utf8_locale && !options.has("ascii"));
    world.out.write(options.has("svg")    ? timeline_svg(*report)
                    : options.has("json") ? to_json(*report)
                                          : timeline_text(*report, width, utf8));
    return kExitDone;
}

int plan(CtlWorld& world, const ParsedOptions& options) {
    if (!world.plan) return failed(world, {"this program was built without plans", {}, 0});
    PlanArguments arguments{options.value("cmdline"), options.value("root"), options.value("snapshot"),
                            options.value("manifest"), options.has("json")};
    if (!options.has("cmdline")) {
        const auto running = world.files.read("/proc/cmdline");
        if (!running) return failed(world, running.error());
        arguments.command_line = std::string(trim(*running));
    }
    const auto text = world.plan(arguments);
    if (!text) return failed(world, text.error());
    world.out.write(*text);
    return kExitDone;
}

int version(CtlWorld& world, const ParsedOptions& options) {
    const auto answer = ask_agent(world, {ControlVerb::report});
    const std::string booted = answer ? std::string(answer->text_of("version")) : std::string();
    if (options.has("json")) {
        JsonWriter json(2);
        json.begin_object();
        json.member("version", DISKLESS_VERSION);
        json.name("booted_with");
        if (booted.empty())
            json.raw("null");
        else
            json.value(booted);
        json.end_object();
        world.out.write(json.text() + "\n");
        return kExitDone;
    }
    world.out.write("disklessctl " DISKLESS_VERSION "\n");
    if (!booted.empty()) world.out.write(fmt::format("this node was booted by diskless {}\n", printable(booted)));
    return kExitDone;
}

}  // namespace diskless::ctl
