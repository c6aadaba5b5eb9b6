#include "common/plan/executor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>

namespace diskless {

namespace {
constexpr Milliseconds kGrace{1000};     // after its deadline, before a step is abandoned
constexpr Milliseconds kSayAfter{2000};  // a wait shorter than this is nobody's business
constexpr Milliseconds kSayAgain{10'000};
constexpr Milliseconds kWithoutThread{200};  // until the next try to start one
// A step may try for days: its first notes are kept (the first failure is among them), and the latest.
constexpr std::size_t kFirstNotes = 24, kMostNotes = 48;

void add_note(std::vector<std::string>& notes, std::string line) {
    if (!notes.empty() && notes.back() == line) return;
    if (notes.size() == kMostNotes) notes.erase(notes.begin() + kFirstNotes);
    notes.push_back(std::move(line));
}

bool ended(StepOutcome outcome) { return outcome != StepOutcome::waiting && outcome != StepOutcome::running; }
bool ended_well(StepOutcome outcome) {
    return outcome == StepOutcome::done || outcome == StepOutcome::degraded || outcome == StepOutcome::skipped;
}
}  // namespace

/// What the executor and its threads share; outlives the executor as long as an abandoned thread holds it.
struct Executor::Shared {
    explicit Shared(Os& os_to_use, ExecutorEvents events_to_tell) : os(os_to_use), events(std::move(events_to_tell)) {}

    struct Slot {
        StepReport report;
        Nanoseconds abandon_at{Nanoseconds::max()};
        int generation = 0;  // grows when the step is abandoned: an old thread's word does not count
        Nanoseconds say_waiting_at{0};
    };

    Os& os;
    ExecutorEvents events;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Slot> slots;
    bool stopping = false;  // a step that means `abort` has failed: nothing is tried again
};

class Executor::Context : public StepContext {
  public:
    Context(Shared& shared, std::size_t slot, int generation)
        : StepContext(shared.os), shared_(shared), slot_(slot), generation_(generation) {}

    void note(std::string line) override {
        with_slot([&](Shared::Slot& slot) { add_note(slot.report.notes, std::move(line)); });
    }
    void degrade(Error problem) override {
        with_slot([&](Shared::Slot& slot) {
            if (problems_++ == 0) {
                slot.report.cause = std::move(problem.cause);
                slot.report.remedy = std::move(problem.remedy);
            } else {
                add_note(slot.report.notes, "also: " + problem.cause);
            }
        });
    }
    void waiting_for(std::string what) override {
        with_slot([&](Shared::Slot& slot) {
            const auto now = os.clock.now();
            if (now < slot.say_waiting_at) return;
            slot.say_waiting_at = now + kSayAgain;
            if (shared_.events.waiting) shared_.events.waiting(slot.report, what);
        });
    }
    bool publish(const std::function<void()>& write) override {
        return with_slot([&](Shared::Slot&) { write(); });
    }
    int problems() const { return problems_; }

    template <class Work>
    bool with_slot(const Work& work) {
        const std::lock_guard lock(shared_.mutex);
        auto& slot = shared_.slots[slot_];
        if (slot.generation != generation_) return false;
        work(slot);
        return true;
    }

  private:
    Shared& shared_;
    std::size_t slot_;
    int generation_;
    int problems_ = 0;
};

Executor::Executor(Os& os, ExecutorEvents events, bool overlap)
    : os_(os), overlap_(overlap), shared_(std::make_shared<Shared>(os, std::move(events))) {}

Executor::~Executor() = default;

/// All attempts of one step, in the calling thread.
void Executor::carry_out(const std::shared_ptr<Shared>& shared, const Step& step, std::size_t slot_index) {
    Os& os = shared->os;
    int generation = 0;
    {
        const std::lock_guard lock(shared->mutex);
        generation = shared->slots[slot_index].generation;
    }
    for (int attempt = 1;; ++attempt) {
        Context context(*shared, slot_index, generation);
        context.attempt = attempt;
        context.deadline = Deadline::after(os.clock, step.deadline);
        const bool ours = context.with_slot([&](Shared::Slot& slot) {
            slot.report.attempts = attempt;
            slot.report.cause.clear();  // what an earlier attempt had to do without
            slot.report.remedy.clear();
            slot.abandon_at = Deadline::after(os.clock, step.deadline + kGrace).at;
            slot.say_waiting_at = slot.report.started + kSayAfter;
        });
        if (!ours) return;
        shared->changed.notify_all();  // there is a new deadline to watch

        Result<> result;
        try {
            result = step.run(context);
        } catch (const std::exception& exception) {  // a bug or a library that knows no other way: fenced here
            result = fail(fmt::format("unexpected: {}", exception.what()), "please report this as a bug");
        }
        const auto delay = backoff_delay(step.retry, attempt - 1, os.machine.random());
        bool again = false;
        const bool still_ours = context.with_slot([&](Shared::Slot& slot) {
            auto& report = slot.report;
            slot.abandon_at = Nanoseconds::max();
            if (!result && context.problems() > 0) add_note(report.notes, "before: " + report.cause);
            again = !result && !shared->stopping && (step.retry.attempts == 0 || attempt < step.retry.attempts);
            if (again) {
                if (shared->events.retry) shared->events.retry(report, result.error(), delay);
                if (attempt == 1) add_note(report.notes, "first attempt: " + result.error().cause);
                return;
            }
            report.ended = os.clock.now();
            if (!result) {
                report.cause = result.error().cause;
                report.remedy = result.error().remedy;
                report.outcome = step.failure == FailureMeans::abort ? StepOutcome::failed : StepOutcome::degraded;
                if (report.outcome == StepOutcome::failed) shared->stopping = true;
            } else {
                report.outcome = context.problems() > 0 ? StepOutcome::degraded : StepOutcome::done;
            }
            if (shared->events.ended) shared->events.ended(report);
        });
        if (!still_ours) return;
        if (!again) break;
        os.clock.sleep(delay);
        const bool over = context.with_slot([&](Shared::Slot& slot) {
            if (!shared->stopping) return;
            again = false;
            slot.report.ended = os.clock.now();
            slot.report.cause = result.error().cause;
            slot.report.remedy = result.error().remedy;
            slot.report.outcome = step.failure == FailureMeans::abort ? StepOutcome::failed : StepOutcome::degraded;
        });
        if (!over) return;
        if (!again) break;
    }
    shared->changed.notify_all();
}

/// Without memory a step fails as if it had said so: the executor learns of its end in any case.
void Executor::carry_out_fenced(const std::shared_ptr<Shared>& shared, const Step& step,
                                std::size_t slot_index) noexcept {
    int generation = 0;
    {
        const std::lock_guard lock(shared->mutex);
        generation = shared->slots[slot_index].generation;
    }
    try {
        return carry_out(shared, step, slot_index);
    } catch (const std::exception&) {
        const std::lock_guard lock(shared->mutex);
        auto& slot = shared->slots[slot_index];
        if (slot.generation != generation) return;
        slot.abandon_at = Nanoseconds::max();
        slot.report.ended = shared->os.clock.now();
        slot.report.cause = "no memory";  // short enough to need none
        slot.report.remedy.clear();
        slot.report.outcome = step.failure == FailureMeans::abort ? StepOutcome::failed : StepOutcome::degraded;
        if (slot.report.outcome == StepOutcome::failed) shared->stopping = true;
    }
    shared->changed.notify_all();
}

Result<> Executor::run(const Plan& plan) {
    if (const auto problems = problems_of(plan); !problems.empty())
        return fail("the plan is not sound: " + problems.front(), "please report this as a bug");

    std::vector<std::size_t> slots;
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->stopping = false;
        for (const auto& step : plan) {
            auto& all = shared_->slots;
            auto found = std::ranges::find_if(all, [&](const auto& slot) { return slot.report.id == step.id; });
            if (found == all.end()) {
                all.emplace_back();
                found = std::prev(all.end());
                found->report.id = step.id;
            }
            auto& report = found->report;
            report.sentence = step.sentence;
            if (!ended_well(report.outcome)) {
                report.outcome = StepOutcome::waiting;
                report.cause.clear();
                report.remedy.clear();
            }
            slots.push_back(static_cast<std::size_t>(found - all.begin()));
        }
    }
    return overlap_ ? run_in_threads(plan, slots) : run_in_turn(plan, slots);
}

namespace {

enum class Readiness { ready, not_yet, never };

}  // namespace

struct Executor::Run {
    const Plan& plan;
    const std::vector<std::size_t>& slots;
    Shared& shared;

    StepReport& report(std::size_t i) const { return shared.slots[slots[i]].report; }

    const StepReport& report_of(std::string_view id) const {
        return std::ranges::find_if(shared.slots, [&](const auto& slot) { return slot.report.id == id; })->report;
    }

    Readiness readiness(const Step& step) const {
        auto all = Readiness::ready;
        for (const auto& need : step.needs) {
            const auto outcome = report_of(need).outcome;
            if (outcome == StepOutcome::failed) return Readiness::never;
            if (!ended_well(outcome)) all = Readiness::not_yet;
        }
        return all;
    }

    void begin(std::size_t i) const {
        report(i).outcome = StepOutcome::running;
        // Of an earlier run, in which it was abandoned: its new thread sets the new one.
        shared.slots[slots[i]].abandon_at = Nanoseconds::max();
        report(i).started = shared.os.clock.now();
    }

    bool failed() const {
        for (std::size_t i = 0; i < plan.size(); ++i)
            if (report(i).outcome == StepOutcome::failed) return true;
        return false;
    }

    /// The verdict once nothing runs any more.
    Result<> verdict() const {
        const StepReport* first = nullptr;
        for (std::size_t i = 0; i < plan.size(); ++i)
            if (report(i).outcome == StepOutcome::failed && (first == nullptr || report(i).ended < first->ended))
                first = &report(i);
        if (first == nullptr) return {};
        return fail(first->sentence + ": " + first->cause, first->remedy);
    }
};

Result<> Executor::run_in_turn(const Plan& plan, const std::vector<std::size_t>& slots) {
    const Run run{plan, slots, *shared_};
    for (bool progress = true; progress;) {
        progress = false;
        for (std::size_t i = 0; i < plan.size(); ++i) {
            if (ended(run.report(i).outcome) || run.readiness(plan[i]) != Readiness::ready || run.failed()) continue;
            run.begin(i);
            carry_out_fenced(shared_, plan[i], slots[i]);
            progress = true;
        }
    }
    return run.verdict();
}

Result<> Executor::run_in_threads(const Plan& plan, const std::vector<std::size_t>& slots) {
    const Run run{plan, slots, *shared_};
    std::unique_lock lock(shared_->mutex);
    for (;;) {
        bool running = false;
        bool startable = false;
        bool short_of_threads = false;
        auto next_look = Nanoseconds::max();
        const auto now = os_.clock.now();
        for (std::size_t i = 0; i < plan.size(); ++i) {
            auto& slot = shared_->slots[slots[i]];
            if (slot.report.outcome == StepOutcome::running && now >= slot.abandon_at) {
                ++slot.generation;
                slot.report.ended = now;
                slot.report.cause = fmt::format("did not come back within {:.1f} s",
                                                static_cast<double>(plan[i].deadline.count()) / 1000);
                slot.report.remedy = "the kernel holds this step; see dmesg";
                slot.report.outcome =
                    plan[i].failure == FailureMeans::abort ? StepOutcome::failed : StepOutcome::degraded;
                if (slot.report.outcome == StepOutcome::failed) shared_->stopping = true;
                if (shared_->events.ended) shared_->events.ended(slot.report);
            }
        }
        const bool failed = run.failed();
        for (std::size_t i = 0; i < plan.size(); ++i) {
            auto& slot = shared_->slots[slots[i]];
            if (!failed && slot.report.outcome == StepOutcome::waiting && run.readiness(plan[i]) == Readiness::ready) {
                run.begin(i);
                try {
                    std::thread([shared = shared_, step = plan[i], index = slots[i]] {
                        carry_out_fenced(shared, step, index);
                    }).detach();
                    startable = true;
                } catch (const std::exception&) {  // no memory or no thread: its turn comes again
                    slot.report.outcome = StepOutcome::waiting;
                    next_look = std::min<Nanoseconds>(next_look, now + kWithoutThread);
                    short_of_threads = true;
                }
            }
            if (slot.report.outcome == StepOutcome::running) {
                running = true;
                next_look = std::min(next_look, slot.abandon_at);
            }
        }
        if (!running && !startable && !short_of_threads) return run.verdict();
        if (!running && short_of_threads) {  // nobody whose end would bring a thread: one here, without overlap
            for (std::size_t i = 0; i < plan.size(); ++i) {
                if (shared_->slots[slots[i]].report.outcome != StepOutcome::waiting ||
                    run.readiness(plan[i]) != Readiness::ready)
                    continue;
                run.begin(i);
                lock.unlock();
                carry_out_fenced(shared_, plan[i], slots[i]);
                lock.lock();
                break;
            }
            continue;
        }
        const auto until_look = next_look == Nanoseconds::max() ? Nanoseconds(kSayAgain) : next_look - now;
        shared_->changed.wait_for(lock, std::max<Nanoseconds>(Milliseconds{1}, until_look));
    }
}

std::vector<StepReport> Executor::reports() const {
    const std::lock_guard lock(shared_->mutex);
    std::vector<StepReport> all;
    for (const auto& slot : shared_->slots) all.push_back(slot.report);
    return all;
}

}  // namespace diskless
