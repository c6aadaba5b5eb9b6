// BootReport and NodeStatus <-> JSON. Each struct is described once, field by field; writing and reading both follow
// that description. Units stand in the names: _ns nanoseconds, _s seconds.
#include <fmt/core.h>

#include <array>
#include <concepts>
#include <type_traits>

#include "common/report/agent_state.hpp"
#include "common/report/json.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

namespace {

/// `S` is `T`, const when it is written from.
template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

template <class V, Is<StepReport> S>
void describe(V& v, S& step) {
    v.field("id", step.id);
    v.field("sentence", step.sentence);
    v.field("outcome", step.outcome);
    v.field("started_ns", step.started);
    v.field("ended_ns", step.ended);
    v.field("attempts", step.attempts);
    v.field("notes", step.notes);
    v.field("cause", step.cause);
    v.field("remedy", step.remedy);
}

template <class V, Is<Route> S>
void describe(V& v, S& route) {
    v.field("destination", route.destination);
    v.field("prefix", route.prefix);
    v.field("router", route.router);
}

template <class V, Is<Lease> S>
void describe(V& v, S& lease) {
    v.field("source", lease.source);
    v.field("address", lease.address);
    v.field("prefix", lease.prefix);
    v.field("routers", lease.routers);
    v.field("routes", lease.routes);
    v.field("dns", lease.dns);
    v.field("ntp", lease.ntp);
    v.field("log_servers", lease.log_servers);
    v.field("hostname", lease.hostname);
    v.field("domain", lease.domain);
    v.field("nis_domain", lease.nis_domain);
    v.field("root_path", lease.root_path);
    v.field("boot_file", lease.boot_file);
    v.field("next_server", lease.next_server);
    v.field("server_id", lease.server_id);
    v.field("mtu", lease.mtu);
    v.field("client_id", lease.client_id);
    v.field("lease_time_s", lease.lease_time);
    v.field("renew_after_s", lease.renew_after);
    v.field("rebind_after_s", lease.rebind_after);
    v.field("obtained_ns", lease.obtained);
}

template <class V, Is<RootFacts> S>
void describe(V& v, S& root) {
    v.field("server", root.server);
    v.field("path", root.path);
    v.field("version", root.version);
    v.field("options", root.options);
    v.field("mode", root.mode);
    v.field("generation", root.generation);
    v.field("image", root.image);
}

template <class V, Is<SnapshotFacts> S>
void describe(V& v, S& snapshot) {
    v.field("name", snapshot.name);
    v.field("server", snapshot.server);
    v.field("path", snapshot.path);
    v.field("state", snapshot.state);
    v.field("options", snapshot.options);
}

template <class V, Is<TimeFacts> S>
void describe(V& v, S& time) {
    v.field("source", time.source);
    v.field("step_ns", time.step);
}

template <class V, Is<IdentityFacts> S>
void describe(V& v, S& identity) {
    v.field("hostname", identity.hostname);
    v.field("hostname_source", identity.hostname_source);
    v.field("domain", identity.domain);
    v.field("nis_domain", identity.nis_domain);
    v.field("machine_id", identity.machine_id);
    v.field("machine_id_source", identity.machine_id_source);
}

template <class V, Is<StateFacts> S>
void describe(V& v, S& entry) {
    v.field("path", entry.path);
    v.field("kind", entry.kind);
    v.field("source", entry.source);
    v.field("bytes", entry.bytes);
    v.field("problem", entry.problem);
}

template <class V, Is<LastShutdown> S>
void describe(V& v, S& last) {
    v.field("outcome", last.outcome);
    v.field("verb", last.verb);
    v.field("wall_s", last.wall);
    v.field("took_ns", last.took);
    v.field("unwritten_bytes", last.unwritten_bytes);
    v.field("losses", last.losses);
}

template <class V, Is<BootReport> S>
void describe(V& v, S& report) {
    v.format(report.format);
    v.field("version", report.version);
    v.field("kernel", report.kernel);
    v.field("command_line", report.command_line);
    v.field("image_parameters", report.image_parameters);
    v.field("started_ns", report.started);
    v.field("handed_over_ns", report.handed_over);
    v.field("wall_started_s", report.wall_started);
    v.field("init", report.init);
    v.field("steps", report.steps);
    v.field("warnings", report.warnings);
    v.field("executed", report.executed);
    v.field("interface", report.interface);
    v.field("mac", report.mac);
    v.field("lease", report.lease);
    v.field("root", report.root);
    v.field("snapshot", report.snapshot);
    v.field("time", report.time);
    v.field("identity", report.identity);
    v.field("state", report.state);
    v.field("last_shutdown", report.last_shutdown);
}

template <class V, Is<Space> S>
void describe(V& v, S& space) {
    v.field("free_bytes", space.free_bytes);
    v.field("total_bytes", space.total_bytes);
    v.field("free_inodes", space.free_inodes);
    v.field("total_inodes", space.total_inodes);
}

template <class V, Is<LeaseStatus> S>
void describe(V& v, S& lease) {
    v.field("source", lease.source);
    v.field("address", lease.address);
    v.field("server", lease.server);
    v.field("expires_in_s", lease.expires_in);
    v.field("confirmed_s", lease.confirmed);
    v.field("waits_for", lease.waits_for);
}

template <class V, Is<DegradedItem> S>
void describe(V& v, S& item) {
    v.field("what", item.what);
    v.field("cause", item.cause);
    v.field("remedy", item.remedy);
}

template <class V, Is<Health> S>
void describe(V& v, S& health) {
    v.field("state", health.state);
    v.field("took_ms", health.milliseconds);
    v.field("since_s", health.since);
    v.field("cause", health.cause);
    v.field("remedy", health.remedy);
}

template <class V, Is<NodeCounters> S>
void describe(V& v, S& counters) {
    v.field("agent_restarts", counters.agent_restarts);
    v.field("lease_renewals", counters.lease_renewals);
    v.field("lease_losses", counters.lease_losses);
    v.field("address_put_back", counters.address_put_back);
    v.field("carrier_losses", counters.carrier_losses);
    v.field("root_outages", counters.root_outages);
    v.field("snapshot_outages", counters.snapshot_outages);
}

template <class V, Is<LogLine> S>
void describe(V& v, S& line) {
    v.field("at_ns", line.at);
    v.field("level", line.level);
    v.field("text", line.text);
}

template <class V, Is<KeptPowerRequest> S>
void describe(V& v, S& power) {
    v.field("verb", power.verb);
    v.field("until_ns", power.until);
    v.field("now", power.now);
    v.field("begun", power.begun);
    v.field("reacted", power.reacted);
    v.field("root_is_dead", power.root_is_dead);
}

template <class V, Is<AgentState> S>
void describe(V& v, S& state) {
    v.format(state.format);
    v.field("lease", state.lease);
    v.field("lease_cause", state.lease_cause);
    v.field("lease_remedy", state.lease_remedy);
    v.field("counters", state.counters);
    v.field("power", state.power);
    v.field("end", state.end);
    v.field("log", state.log);
}

template <class V, Is<NodeStatus> S>
void describe(V& v, S& status) {
    v.format(status.format);
    v.field("version", status.version);
    v.field("kernel", status.kernel);
    v.field("init", status.init);
    v.field("interface", status.interface);
    v.field("mac", status.mac);
    v.field("root", status.root);
    v.field("root_server", status.root_server);
    v.field("snapshot", status.snapshot);
    v.field("space", status.space);
    v.field("root_health", status.root_health);
    v.field("snapshot_health", status.snapshot_health);
    v.field("carrier", status.carrier);
    v.field("watchdog", status.watchdog);
    v.field("counters", status.counters);
    v.field("lease", status.lease);
    v.field("time", status.time);
    v.field("wall_s", status.wall);
    v.field("identity", status.identity);
    v.field("uptime_ns", status.uptime);
    v.field("handed_over_ns", status.handed_over);
    v.field("outcome", status.outcome);
    v.field("agent", status.agent);
    v.field("degraded", status.degraded);
}

constexpr std::array kOutcomes{StepOutcome::waiting, StepOutcome::running,  StepOutcome::done,
                               StepOutcome::skipped, StepOutcome::degraded, StepOutcome::failed};
constexpr std::array kLeaseSources{LeaseSource::fixed, LeaseSource::dhcp, LeaseSource::bootp, LeaseSource::rarp};

class FieldWriter {
  public:
    explicit FieldWriter(JsonWriter& json) : json_(json) {}

    void format(int number) { field("format", number); }
    template <class T>
    void field(std::string_view name, const T& value) {
        json_.name(name);
        write(value);
    }

    void write(const std::string& text) { json_.value(text); }
    void write(Ipv4 address) { json_.value(address.is_set() ? address.text() : std::string()); }
    void write(StepOutcome outcome) { json_.value(text(outcome)); }
    void write(LeaseSource source) { json_.value(text(source)); }
    void write(bool yes) { json_.value(yes); }
    template <std::integral T>
    void write(T number) {
        json_.value(static_cast<std::int64_t>(number));
    }
    template <class Rep, class Period>
    void write(std::chrono::duration<Rep, Period> span) {
        json_.value(static_cast<std::int64_t>(span.count()));
    }
    void write(const std::vector<std::uint8_t>& bytes) {
        std::string hex;
        for (const auto byte : bytes) hex += fmt::format("{:02x}", byte);
        json_.value(hex);
    }
    template <class T>
    void write(const std::vector<T>& list) {
        json_.begin_array();
        for (const auto& item : list) write(item);
        json_.end_array();
    }
    template <class T>
    void write(const std::optional<T>& value) {
        if (value)
            write(*value);
        else
            json_.raw("null");
    }
    template <class T>
    requires std::is_class_v<T>
    void write(const T& value) {
        json_.begin_object();
        describe(*this, value);
        json_.end_object();
    }

  private:
    JsonWriter& json_;
};

/// Reads the members of one object; the first problem is kept, with the path of its field, and ends the reading.
class FieldReader {
  public:
    FieldReader(const Json& object, std::string path, std::optional<Error>& problem)
        : object_(object), path_(std::move(path)), problem_(problem) {
        if (object.kind != Json::Kind::object) refuse(path_, "is no object");
    }

    void format(int& number) {
        const Json* found = object_.find("format");
        if (found == nullptr || found->kind != Json::Kind::integer || found->integer != number)
            refuse("format", fmt::format("is not {}: this was not written by this program, or by a newer one", number));
    }

    template <class T>
    void field(std::string_view name, T& value) {
        if (problem_) return;
        const Json* found = object_.find(name);
        if (found == nullptr || found->kind == Json::Kind::null) return;
        read(*found, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name), value);
    }

  private:
    void refuse(std::string_view path, std::string_view why) {
        if (!problem_) problem_ = Error{fmt::format("field {} {}", path.empty() ? "(all)" : path, why), {}, 0};
    }

    bool is_text(const Json& from, const std::string& path) {
        if (from.kind == Json::Kind::text) return true;
        refuse(path, "is no text");
        return false;
    }

    void read(const Json& from, const std::string& path, std::string& to) {
        if (is_text(from, path)) to = from.text;
    }
    void read(const Json& from, const std::string& path, Ipv4& to) {
        if (!is_text(from, path) || from.text.empty()) return;
        if (const auto address = Ipv4::parse(from.text))
            to = *address;
        else
            refuse(path, "is no IPv4 address");
    }
    template <class Enum, std::size_t N>
    void read_word(const Json& from, const std::string& path, Enum& to, const std::array<Enum, N>& values) {
        if (!is_text(from, path)) return;
        for (const auto value : values)
            if (text(value) == from.text) {
                to = value;
                return;
            }
        refuse(path, "has a word that is not known");
    }
    void read(const Json& from, const std::string& path, StepOutcome& to) { read_word(from, path, to, kOutcomes); }
    void read(const Json& from, const std::string& path, LeaseSource& to) { read_word(from, path, to, kLeaseSources); }
    void read(const Json& from, const std::string& path, bool& to) {
        if (from.kind == Json::Kind::boolean)
            to = from.boolean;
        else
            refuse(path, "is neither true nor false");
    }
    template <std::integral T>
    void read(const Json& from, const std::string& path, T& to) {
        if (from.kind != Json::Kind::integer)
            refuse(path, "is no whole number");
        else if (!std::in_range<T>(from.integer))
            refuse(path, "is out of range");
        else
            to = static_cast<T>(from.integer);
    }
    template <class Rep, class Period>
    void read(const Json& from, const std::string& path, std::chrono::duration<Rep, Period>& to) {
        Rep count{};
        read(from, path, count);
        // 146 years: a clock that is moved from 1970 fits, and sums of two do not overflow.
        constexpr Rep kMost = (Rep{1} << 62) - 1;
        if (count > kMost || count < -kMost) return refuse(path, "is out of range");
        to = std::chrono::duration<Rep, Period>(count);
    }
    void read(const Json& from, const std::string& path, std::vector<std::uint8_t>& to) {
        if (!is_text(from, path)) return;
        const auto digit = [](char c) {
            return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        };
        if (from.text.size() % 2 != 0) return refuse(path, "has half a byte");
        for (std::size_t i = 0; i < from.text.size(); i += 2) {
            const int high = digit(from.text[i]), low = digit(from.text[i + 1]);
            if (high < 0 || low < 0) return refuse(path, "is not lower-case hexadecimal");
            to.push_back(static_cast<std::uint8_t>(high << 4 | low));
        }
    }
    template <class T>
    void read(const Json& from, const std::string& path, std::vector<T>& to) {
        if (from.kind != Json::Kind::array) return refuse(path, "is no list");
        to.clear();
        for (std::size_t i = 0; i < from.items.size() && !problem_; ++i)
            read(from.items[i], fmt::format("{}[{}]", path, i), to.emplace_back());
    }
    template <class T>
    void read(const Json& from, const std::string& path, std::optional<T>& to) {
        read(from, path, to.emplace());
    }
    template <class T>
    requires std::is_class_v<T>
    void read(const Json& from, const std::string& path, T& to) {
        FieldReader inner(from, path, problem_);
        describe(inner, to);
    }

    const Json& object_;
    std::string path_;
    std::optional<Error>& problem_;
};

template <class T>
std::string written(const T& value, int indent) {
    JsonWriter json(indent);
    FieldWriter(json).write(value);
    return indent == 0 ? json.text() : json.text() + "\n";
}

template <class T>
Result<T> read_from(const Json& tree, std::string_view what) {
    T value;
    std::optional<Error> problem;
    FieldReader reader(tree, "", problem);
    if (!problem) describe(reader, value);
    if (problem) return within(what, *problem);
    return value;
}

template <class T>
Result<T> read_text(std::string_view text, std::string_view what) {
    const Json tree = TRY_TO(what, parse_json(text));
    return read_from<T>(tree, what);
}

}  // namespace

std::string_view text(LeaseSource source) {
    switch (source) {
        case LeaseSource::fixed:
            return "fixed";
        case LeaseSource::dhcp:
            return "dhcp";
        case LeaseSource::bootp:
            return "bootp";
        case LeaseSource::rarp:
            return "rarp";
    }
    return "fixed";
}

std::string to_json(const BootReport& report) { return written(report, 2); }
std::string to_json_line(const BootReport& report) { return written(report, 0); }
Result<BootReport> boot_report_from(const Json& tree) { return read_from<BootReport>(tree, "boot report"); }
Result<BootReport> boot_report_from_json(std::string_view text) { return read_text<BootReport>(text, "boot report"); }

std::string to_json(const LastShutdown& last) { return written(last, 2); }
Result<LastShutdown> last_shutdown_from_json(std::string_view text) {
    return read_text<LastShutdown>(text, "last shutdown");
}

std::string to_json(const NodeStatus& status, int indent) { return written(status, indent); }
Result<NodeStatus> node_status_from(const Json& tree) { return read_from<NodeStatus>(tree, "node status"); }
Result<NodeStatus> node_status_from_json(std::string_view text) { return read_text<NodeStatus>(text, "node status"); }

std::string to_json(const AgentState& state) { return written(state, 0); }
Result<AgentState> agent_state_from_json(std::string_view text) { return read_text<AgentState>(text, "agent state"); }

std::string to_json_line(const std::vector<LogLine>& log) { return written(log, 0); }
Result<std::vector<LogLine>> log_from(const Json& tree) {
    std::vector<LogLine> log;
    for (const auto& item : tree.items) log.push_back(TRY(read_from<LogLine>(item, "log")));
    return log;
}

}  // namespace diskless
