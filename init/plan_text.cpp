#include "init/plan_text.hpp"

#include "common/report/json.hpp"
#include "common/state/state_plan.hpp"
#include "common/state/tree_view.hpp"
#include "init/network/snapshot_place.hpp"
#include "init/plan.hpp"

namespace diskless {

namespace {

/// The files that identify would make; their content is known only on the node.
std::vector<GeneratedFile> identity_files() {
    std::vector<GeneratedFile> files;
    for (const char* path : {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/machine-id",
                             "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub"})
        files.push_back({.path = path, .content = "made at boot\n"});
    return files;
}

/// By its name only; the boot looks closer.
bool init_mounts_over(const BootConfig& config, const std::string& root, const Files& files) {
    if (config.init == kStay) return false;
    const auto init = TreeView(files, root).resolve(config.init.empty() ? "/sbin/init" : config.init);
    return init.status != nullptr && init.path.find("systemd") == std::string::npos &&
           base_name(init.path) != base_name(kProgram);
}

std::string as_json(const Boot& boot, const Plan& plan, const StatePlan* state) {
    JsonWriter json(2);
    json.begin_object();
    json.member("configuration", describe(boot.config));
    json.name("warnings");
    json.begin_array();
    for (const auto& warning : boot.config.warnings) {
        json.begin_object();
        json.member("parameter", warning.parameter);
        json.member("message", warning.message);
        json.member("remedy", warning.remedy);
        json.end_object();
    }
    json.end_array();
    json.name("steps");
    json.begin_array();
    for (const auto& step : plan) {
        json.begin_object();
        json.member("id", step.id);
        json.member("sentence", step.sentence);
        json.name("needs");
        json.begin_array();
        for (const auto& need : step.needs) json.value(need);
        json.end_array();
        json.member("deadline_ms", static_cast<std::int64_t>(step.deadline.count()));
        json.end_object();
    }
    json.end_array();
    if (state != nullptr) {
        json.name("state");
        json.begin_array();
        for (const auto& entry : state->entries) {
            json.begin_object();
            json.member("path", entry.path);
            json.member("kind", text(entry.kind));
            json.member("source", entry.source);
            json.member("origin", entry.origin.text());
            json.member("skipped", entry.skipped);
            json.name("notes");
            json.begin_array();
            for (const auto& note : entry.notes) json.value(note);
            json.end_array();
            json.end_object();
        }
        json.end_array();
        json.name("problems");
        json.begin_array();
        for (const auto& problem : state->problems) {
            json.begin_object();
            json.member("origin", problem.origin.text());
            json.member("text", problem.text);
            json.member("remedy", problem.remedy);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
    return json.text() + "\n";
}

}  // namespace

Result<std::string> plan_text(const PlanQuestion& question, const Files& files) {
    Boot boot;
    if (!question.manifest.empty()) boot.manifest = TRY_TO("manifest", parse_manifest(question.manifest));
    boot.config = parse_boot_config({question.command_line, boot.manifest.parameters, boot.manifest.built});
    auto plan = plan_early(boot);
    for (auto& step : plan_boot(boot)) plan.push_back(std::move(step));

    std::optional<StatePlan> state;
    if (!question.root.empty()) {
        if (!files.is_directory(question.root))
            return fail(question.root + " is no directory", "give the image's root directory by --root", ENOTDIR);
        StateInput input;
        input.root = question.root;
        input.snapshot = question.snapshot;
        input.location = question.location;
        const auto names = snapshot_names(boot.config, {}, {});
        input.node = boot.config.hostname.empty() && !names.empty() ? names.front() : boot.config.hostname;
        input.generated = identity_files();
        take_root_mode(input, word(boot.config.root.mode));
        input.init_mounts_over = init_mounts_over(boot.config, question.root, files);
        state = plan_state(input, files);
    }
    if (question.json) return as_json(boot, plan, state ? &*state : nullptr);
    auto text = "Configuration\n" + describe(boot.config) + "\nSteps\n" + describe(plan);
    if (state) text += "\nState\n" + describe(*state);
    return text;
}

}  // namespace diskless
