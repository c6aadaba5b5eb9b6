#include "agent/mount_watch.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/report/words.hpp"

namespace diskless {

namespace {

constexpr Nanoseconds kFirstPoll = Milliseconds{5}, kSlowestPoll = Milliseconds{250};

constexpr std::string_view kStart = "start the NFS server or mend the network; disklessctl reboot works all the same";
constexpr std::string_view kLoad = "see load, disks and network of the server";
constexpr std::string_view kStale = "export the same directory again, or reboot this node: disklessctl reboot";
constexpr std::string_view kWritable = "export it rw to this node";
constexpr std::string_view kMemory =
    "remove what the node has written to its root, or reboot it, with a larger diskless.overlay.size=";
constexpr std::string_view kRoom = "free room in the node's snapshot on the server";

std::int64_t whole_seconds(Nanoseconds span) { return std::chrono::duration_cast<Seconds>(span).count(); }

/// "<free bytes> <total bytes> <free inodes> <total inodes> <read-only> <milliseconds>" from the child.
std::string packed(const Space& space, Nanoseconds took) {
    return fmt::format("{} {} {} {} {} {}", space.free_bytes, space.total_bytes, space.free_inodes, space.total_inodes,
                       +space.read_only, std::chrono::duration_cast<Milliseconds>(took).count());
}

/// Under a hundredth: what is written next may be the last.
bool is_full(const Space& space) {
    return (space.total_bytes != 0 && space.free_bytes < space.total_bytes / 100) ||
           (space.total_inodes != 0 && space.free_inodes < space.total_inodes / 100);
}

}  // namespace

std::string MountWatch::work(Nanoseconds now, int& level) {
    if (!look_) {
        if (now < next_due_) return {};
        server_says_.reset();
        look_started_ = now;
        auto started = background_.start([this]() -> Result<std::string> {
            const auto begun = clock_.now();
            const Space space = TRY(probes_.look());
            return packed(space, clock_.now() - begun);
        });
        next_due_ = now + (started ? kFirstPoll : kLookEvery);
        if (started) look_ = std::move(*started);
        return {};
    }
    if (const auto& answer = look_->result()) {
        looked(*answer, now);
        look_.reset();
        question_.reset();
        next_due_ = now + kLookEvery;
    } else {
        hanging(now);
        next_due_ = now + std::clamp((now - look_started_) / 2, kFirstPoll, kSlowestPoll);
    }
    return news(now, level);
}

void MountWatch::rest() {
    look_.reset();
    question_.reset();
    background_.collect();
}

void MountWatch::looked(const Result<std::string>& answer, Nanoseconds now) {
    if (!answer) {
        const auto& problem = answer.error();
        if (problem.code == ESTALE)
            return become("stale", fmt::format("{} does not know the directory any more", place_.server), kStale, now);
        return become("unreachable", problem.cause, kStart, now);
    }
    const auto numbers = words(*answer);
    const auto number = [&](std::size_t i) {
        return i < numbers.size() ? parse_number<std::uint64_t>(numbers[i]).value_or(0) : 0;
    };
    space_ = Space{number(0), number(1), number(2), number(3), number(4) != 0};
    health_.milliseconds = static_cast<std::int64_t>(number(5));
    const int wrote = place_.writable && write_problem_ ? write_problem_->code : 0;
    if (place_.writable && (space_->read_only || wrote == EROFS || wrote == EACCES || wrote == EPERM))
        return become("read-only", fmt::format("nothing can be written to {}", place_.server), kWritable, now);
    if (place_.in_memory && is_full(*space_))
        return become("full",
                      fmt::format("the memory for what is written to the root is full: {} free of {}",
                                  bytes_text(space_->free_bytes), bytes_text(space_->total_bytes)),
                      kMemory, now);
    if (place_.writable && (is_full(*space_) || wrote == ENOSPC || wrote == EDQUOT))
        return become(
            "full", fmt::format("full: {} free of {}", bytes_text(space_->free_bytes), bytes_text(space_->total_bytes)),
            kRoom, now);
    if (Milliseconds{health_.milliseconds} >= kSlow)
        return become(
            "slow",
            fmt::format("{} took {} to answer", place_.server, seconds_text(Milliseconds{health_.milliseconds})), kLoad,
            now);
    become("ok", {}, {}, now);
}

void MountWatch::hanging(Nanoseconds now) {
    const auto waited = now - look_started_;
    if (waited < kSlow) return;
    if (question_ && question_->result()) {
        server_says_ = *question_->result();
        if (*server_says_) answered_at_ = now;
        question_.reset();
    } else if (!question_ && (!server_says_ || now - asked_at_ >= kAskAgain)) {
        asked_at_ = now;
        auto asked = background_.start([this]() -> Result<std::string> {
            TRY(probes_.ask_server());
            return std::string();
        });
        if (asked) question_ = std::move(*asked);
    }
    if (waited < kSilence || !server_says_) return;
    if (*server_says_)
        become("slow", fmt::format("{} answers calls, but tells nothing of the directory", place_.server), kLoad, now);
    else
        become("unreachable", fmt::format("{} does not answer: {}", place_.server, server_says_->error().cause), kStart,
               now);
}

void MountWatch::become(std::string_view state, std::string cause, std::string_view remedy, Nanoseconds now) {
    if (health_.state != state) {
        if (state == "unreachable" || (state == "stale" && health_.state != "unreachable")) ++outages_;
        health_.state = state;
        // Silence began with the question, not when patience ended; but a server that answered calls while the look
        // hung was there so long.
        const bool dead = state == "unreachable" || state == "stale";
        since_ = state == "ok" ? now : std::max({since_, look_started_, dead ? answered_at_ : Nanoseconds{0}});
    }
    health_.cause = std::move(cause);
    health_.remedy = remedy;
}

std::string MountWatch::news(Nanoseconds now, int& level) {
    if (health_.state.empty() || health_.state == said_) return {};
    if (health_.state == "slow" && now - since_ < kSaidSlow) return {};
    const bool good = health_.state == "ok" || health_.state == "slow";
    const bool was_slow = said_ == "slow" || said_ == "ok";
    level = good ? 5 : 3;
    std::string line;
    if (good && !was_slow)
        line = fmt::format("{} {} is {} again, {} for {}", place_.what, place_.server,
                           health_.state == "ok" ? "well" : "there", said_, span_text(whole_seconds(now - said_at_)));
    else if (health_.state == "ok")
        line = fmt::format("{} {} is quick again", place_.what, place_.server);
    else
        line = fmt::format("{} is {}: {}: {}", place_.what, health_.state, health_.cause, health_.remedy);
    said_ = health_.state;
    said_at_ = since_;
    return line;
}

void MountWatch::wrote(const std::optional<Error>& problem) { write_problem_ = problem; }

std::optional<Health> MountWatch::health() const {
    if (health_.state.empty()) return std::nullopt;
    Health health = health_;
    health.since = whole_seconds(clock_.now() - since_);
    return health;
}

std::optional<Nanoseconds> MountWatch::dead_since() const {
    if (health_.state != "unreachable" && health_.state != "stale") return std::nullopt;
    return since_;
}

}  // namespace diskless
