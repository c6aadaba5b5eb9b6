#include "agent/ctl/metrics.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "agent/ctl/commands.hpp"

namespace diskless::ctl {

namespace {

constexpr std::string_view kStates[] = {"ok", "slow", "unreachable", "stale", "read-only", "full"};

class Metrics {
  public:
    /// Samples that follow are of this family. A unit must end its name.
    void family(std::string_view name, std::string_view help, std::string_view unit = {}, bool counter = false) {
        name_ = name;
        counter_ = counter;
        text_ += fmt::format("# HELP diskless_{} {}\n# TYPE diskless_{} {}\n", name, help, name,
                             counter ? "counter" : "gauge");
        if (!unit.empty()) text_ += fmt::format("# UNIT diskless_{} {}\n", name, unit);
    }
    void sample(std::string_view value, std::string_view labels = {}) {
        text_ += fmt::format("diskless_{}{}{} {}\n", name_, counter_ ? "_total" : "", labels, value);
    }
    void sample(std::uint64_t value, std::string_view labels = {}) { sample(std::to_string(value), labels); }
    void sample_milliseconds(std::int64_t value, std::string_view labels = {}) {
        const auto size = static_cast<std::uint64_t>(value < 0 ? -(value + 1) : value) + (value < 0 ? 1 : 0);
        sample(fmt::format("{}{}.{:03}", value < 0 ? "-" : "", size / 1000, size % 1000), labels);
    }
    std::string take() { return std::move(text_) + "# EOF\n"; }

  private:
    std::string text_;
    std::string_view name_;
    bool counter_ = false;
};

std::string escaped(std::string_view value) {
    std::string result;
    for (const char c : value) {
        if (c == '\\' || c == '"') result += '\\';
        if (c == '\n')
            result += "\\n";
        else
            result += c;
    }
    return result;
}

std::int64_t milliseconds(Nanoseconds span) { return std::chrono::duration_cast<Milliseconds>(span).count(); }

void servers(Metrics& metrics, const NodeStatus& status) {
    const struct {
        std::string_view name;
        const std::optional<Health>& health;
    } all[] = {{"root", status.root_health}, {"snapshot", status.snapshot_health}};
    metrics.family("server_state", "Whether the server is in this state.");
    for (const auto& server : all)
        for (const auto state : kStates)
            if (server.health)
                metrics.sample(server.health->state == state ? 1 : 0,
                               fmt::format("{{server=\"{}\",state=\"{}\"}}", server.name, state));
    metrics.family("server_response_seconds", "How long the last look that was answered took.", "seconds");
    for (const auto& server : all)
        if (server.health)
            metrics.sample_milliseconds(server.health->milliseconds, fmt::format("{{server=\"{}\"}}", server.name));
    metrics.family("server_outages", "Times the server's directory became unreachable or stale.", {}, true);
    metrics.sample(status.counters.root_outages, "{server=\"root\"}");
    metrics.sample(status.counters.snapshot_outages, "{server=\"snapshot\"}");
}

void counters(Metrics& metrics, const NodeCounters& counters) {
    const struct {
        std::string_view name, help;
        std::uint64_t value;
    } counted[] = {
        {"agent_restarts", "Times the agent was started again.", counters.agent_restarts},
        {"lease_renewals", "Times a server renewed or gave the lease.", counters.lease_renewals},
        {"lease_losses", "Times the lease was refused or ran out.", counters.lease_losses},
        {"address_restorations", "Times address, routes or link were put back.", counters.address_put_back},
        {"carrier_losses", "Times the root's interface lost its carrier.", counters.carrier_losses},
    };
    for (const auto& one : counted) {
        metrics.family(one.name, one.help, {}, true);
        metrics.sample(one.value);
    }
}

void space(Metrics& metrics, const Space& space) {
    metrics.family("snapshot_free_bytes", "Free room in the file system of the snapshot.", "bytes");
    metrics.sample(space.free_bytes);
    metrics.family("snapshot_size_bytes", "Size of the file system of the snapshot.", "bytes");
    metrics.sample(space.total_bytes);
    metrics.family("snapshot_free_inodes", "Free inodes in the file system of the snapshot.");
    metrics.sample(space.free_inodes);
}

}  // namespace

std::string metrics_text(const NodeStatus& status) {
    Metrics metrics;
    metrics.family("node_info", "What the node runs; always 1.");
    metrics.sample(
        1, fmt::format("{{version=\"{}\",kernel=\"{}\",root=\"{}:{}\",generation=\"{}\",snapshot=\"{}\"}}",
                       escaped(status.version), escaped(status.kernel), escaped(status.root.server),
                       escaped(status.root.path), escaped(status.root.generation), escaped(status.snapshot.name)));
    metrics.family("uptime_seconds", "Time since the kernel started.", "seconds");
    metrics.sample_milliseconds(milliseconds(status.uptime));
    metrics.family("boot_duration_seconds", "From the kernel's start to the hand-over to init.", "seconds");
    metrics.sample_milliseconds(milliseconds(status.handed_over));
    metrics.family("agent_up", "Whether the resident agent answers.");
    metrics.sample(agent_answers(status) ? 1 : 0);
    metrics.family("degraded_items", "Things that are not as they should be: see disklessctl status.");
    metrics.sample(status.degraded.size());
    metrics.family("snapshot_mounted", "Whether what the node writes is kept.");
    metrics.sample(status.snapshot.state == "mounted" ? 1 : 0);
    if (status.carrier) {
        metrics.family("carrier", "Whether the root's interface has carrier.");
        metrics.sample(*status.carrier ? 1 : 0);
    }
    // Zeros instead would look like counters that began anew.
    if (agent_answers(status)) servers(metrics, status);
    if (status.space) space(metrics, *status.space);
    if (status.lease.expires_in) {
        metrics.family("lease_remaining_seconds", "Until the DHCP lease ends; negative: it ended so long ago.",
                       "seconds");
        metrics.sample(std::to_string(*status.lease.expires_in));
    }
    if (agent_answers(status)) counters(metrics, status.counters);
    return metrics.take();
}

int metrics(CtlWorld& world, const ParsedOptions&) {
    const auto status = node_status_now(world);
    if (!status) return failed(world, status.error());
    world.out.write(metrics_text(*status));
    return kExitDone;
}

}  // namespace diskless::ctl
