// set-clock: SNTP, before anything depends on the time (file times on NFS, certificates, munge). Overlaps the mounts.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/net/sntp.hpp"
#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

constexpr Milliseconds kAskAgain{400};     // a lost packet costs this
constexpr Milliseconds kWaitForMore{100};  // after the first answer: others may agree or not
constexpr std::size_t kMostServers = 4;

struct Question {
    Ipv4 server;
    std::unique_ptr<Channel> channel;
    std::uint64_t cookie = 0;
    Nanoseconds sent{0};  // wall clock
    bool answered = false;
};

std::vector<Ipv4> servers_of(const Boot& boot) {
    auto servers = boot.config.time.servers;
    if (servers.empty()) servers = boot.lease.ntp;
    if (servers.empty()) servers = boot.root_source.servers;
    if (servers.size() > kMostServers) servers.resize(kMostServers);
    return servers;
}

void ask(StepContext& context, Question& question) {
    question.cookie = context.os.machine.random();
    question.sent = context.os.clock.wall();
    (void)question.channel->send(build_sntp_request(question.cookie));
}

/// Asks all servers at once and again, until answers are in or the time is over.
std::vector<std::pair<Ipv4, SntpSample>> ask_all(StepContext& context, const std::vector<Ipv4>& servers) {
    Os& os = context.os;
    std::vector<Question> questions;
    std::vector<Channel*> channels;
    for (const auto server : servers) {
        auto channel = os.sockets.open_udp(server, kSntpPort);
        if (!channel) {
            context.note(channel.error().cause);
            continue;
        }
        channels.push_back(channel->get());
        questions.push_back({server, std::move(*channel)});
    }
    std::vector<std::pair<Ipv4, SntpSample>> samples;
    auto until = context.deadline;
    auto ask_at = os.clock.now();
    while (!questions.empty() && !until.passed(os.clock) && samples.size() < questions.size()) {
        if (os.clock.now() >= ask_at) {
            for (auto& question : questions)
                if (!question.answered) ask(context, question);
            ask_at = os.clock.now() + kAskAgain;
        }
        os.sockets.wait(channels, until.sooner_of({ask_at}));
        for (auto& question : questions) {
            while (const auto bytes = question.channel->receive()) {
                const auto sample = parse_sntp_reply(*bytes, question.cookie, question.sent, os.clock.wall());
                if (question.answered) continue;
                if (!sample) {
                    context.note(fmt::format("{}: {}", question.server.text(), sample.error().cause));
                    continue;
                }
                question.answered = true;
                samples.emplace_back(question.server, *sample);
                until = until.sooner_of(Deadline::after(os.clock, kWaitForMore));
            }
        }
    }
    return samples;
}

/// The clock is never before the image was built: a dead battery starts in 1970, and certificates would not hold.
void keep_floor(StepContext& context, Boot& boot) {
    Os& os = context.os;
    const auto floor = Nanoseconds(Seconds{std::max(boot.config.time.not_before, boot.manifest.built)});
    if (os.clock.wall() >= floor) return;
    const auto step = floor - os.clock.wall();
    if (const auto set = os.clock.set_wall(floor); !set) {
        context.degrade(set.error());
        return;
    }
    context.note("the clock was before the image's build time, set to that");
    context.publish([&] { boot.time = {"image", step}; });
}

Result<> run(StepContext& context, Boot& boot) {
    Os& os = context.os;
    context.publish([&] { boot.time = {"clock", Nanoseconds{0}}; });
    if (!boot.config.time.wanted) return {};
    const auto servers = servers_of(boot);
    const auto samples = ask_all(context, servers);
    std::vector<SntpSample> values;
    for (const auto& [server, sample] : samples) values.push_back(sample);
    const auto best = best_sample(values);
    if (!best) {
        keep_floor(context, boot);
        std::vector<std::string> names;
        for (const auto server : servers) names.push_back(server.text());
        return fail(fmt::format("no time from {} within {:.1f} s, continuing", join(names, ", "),
                                static_cast<double>(boot.config.time.timeout.count()) / 1000),
                    "run an NTP server there, name one by diskless.ntp= or DHCP option 42, or say diskless.time=off");
    }
    TRY(os.clock.set_wall(os.clock.wall() + best->offset));
    const auto from = std::ranges::find(samples, *best, &std::pair<Ipv4, SntpSample>::second)->first;
    context.note(fmt::format("moved by {:+.3f} s, as {} says", std::chrono::duration<double>(best->offset).count(),
                             from.text()));
    context.publish([&] { boot.time = {"sntp " + from.text(), best->offset}; });
    return {};
}

}  // namespace

Step set_clock(Boot& boot) {
    return {.id = "set-clock",
            .sentence = "set the clock",
            .needs = {"configure-network"},
            .deadline = boot.config.time.timeout,
            .failure = FailureMeans::degrade,
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
