// The life of a node by its inittab: what is started, waited for, started again, stopped; and the way down.
//
// Pure: it is told what happened and what time it is, and tells its world what to do. Nothing in it waits, so a year
// of a node is a unit test of a millisecond.
//
//   sysinit ─▶ boot, bootwait ─▶ a run level ⇄ another ─▶ going down: run level 0 or 6, shutdown entries ─▶ end
//      └──▶ S, when asked for ──────┘▲
//
// One queue holds what is still to be started; it stops at an entry that is waited for and goes on when that has ended.
// A change of the run level empties it, tells everything that does not belong to end (TERM, 5 s, KILL), and fills it
// anew when that is gone.
//
// Out of memory: only what reads a table allocates, and it does so before it changes anything. All else needs no memory
// of its own, and words that cannot be said are left out. What the world cannot start for want of a process is tried
// again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/os/machine.hpp"
#include "init/supervisor/inittab.hpp"

namespace diskless {

/// Why the supervisor has come to its end.
enum class LastAct { power, restart };

/// None of it throws: a world without memory does what it can.
class SupervisorWorld {
  public:
    virtual ~SupervisorWorld() = default;
    /// Starts the entry's process; its id, or 0 when there was no process to be had (said already). Never waits.
    virtual int start(const InittabEntry& entry) = 0;
    /// A signal to the process and all it started; SIGKILL reaches those that left its session, too.
    virtual void signal(const InittabEntry& entry, int pid, int number) = 0;
    /// Nothing of the entry is left: its record of what belongs to it can go.
    virtual void ended(const InittabEntry& entry, int pid, int status) = 0;
    /// One line on the console and in the log; syslog levels.
    virtual void say(int level, std::string line) = 0;
    /// The run level has changed: utmp, wtmp and later processes' environment want to know.
    virtual void run_level(char now, char before) = 0;
    /// The node is to go down: told before all else, for from now on the time is bounded.
    virtual void going_down(LastAct act, PowerVerb verb) = 0;
    /// The supervisor's part is over. `restart` is the process of the inittab's entry, when there is one.
    virtual void end(LastAct act, PowerVerb verb, const InittabEntry* restart) = 0;
};

class Supervisor {
  public:
    struct Settings {
        Nanoseconds way_down = Seconds{20};  // for shutdown entries and run levels 0 and 6, all together
        char level = '\0';                   // asked for by the command line: S or 1 to 5
        bool emergency = false;              // "-b": a shell before anything else
    };

    // sysvinit's numbers: an entry that ended ten times within two minutes rests for five.
    static constexpr int kMostStarts = 10;
    static constexpr Nanoseconds kWithin = Seconds{120}, kRest = Seconds{300};
    // An entry that ends at once is not started again at once.
    static constexpr Nanoseconds kShortLife = Seconds{2}, kPause = Seconds{1};
    static constexpr Nanoseconds kTermTime = Seconds{5}, kKillTime = Seconds{2};

    Supervisor(SupervisorWorld& world, Settings settings) : world_(world), settings_(settings) {}

    /// The beginning of a node's life.
    void begin(Inittab table, Nanoseconds now);
    /// The same after this program was executed anew in the middle of it: `state` is of state().
    void resume(Inittab table, std::string_view state, Nanoseconds now);
    /// Enough to go on by: run level, running entries. One line without blanks at its ends; never longer than
    /// kLongestState.
    std::string state() const;
    static constexpr std::size_t kLongestState = 8192;
    /// The same without an allocation: its length.
    std::size_t state(char (&to)[kLongestState]) const noexcept;

    // What happens. Each may start and stop entries.
    void child_ended(int pid, int status, Nanoseconds now);
    void reload(Inittab table, Nanoseconds now);
    void telinit(char level, Nanoseconds term_time, Nanoseconds now);  // 0…9, S, a, b, c; q is reload()
    void go_down(PowerVerb verb, Nanoseconds now);
    void restart(Nanoseconds now);
    void ctrl_alt_del(Nanoseconds now);
    void keyboard_request(Nanoseconds now);
    void power_status(char status, Nanoseconds now);  // 'F' failing, 'O' back, 'L' nearly out
    void time_passed(Nanoseconds now);

    /// When time_passed() is to be called; Nanoseconds::max() when only events count.
    Nanoseconds next_due() const;
    char level() const { return level_; }
    bool going_down() const { return down_.has_value(); }
    bool over() const { return over_; }
    /// The table in force, in its order.
    std::vector<InittabEntry> entries() const;

  private:
    struct Service {
        InittabEntry entry;
        int pid = 0;
        bool wanted = false;   // respawn and its kin: to be started again
        bool removed = false;  // no longer in the table
        Nanoseconds started{0};
        Nanoseconds not_before{0};  // pause or rest
        Nanoseconds kill_at{Nanoseconds::max()};
        bool killed = false;
        Nanoseconds first{0};  // of the starts that are counted
        int starts = 0;
        unsigned queued = 0;      // its place in the queue; 0: not in it
        bool waited_for = false;  // the queue stands still until it has ended
    };
    struct WayDown {
        PowerVerb verb;
        LastAct act;
        Nanoseconds deadline;
        bool shutdown_entries = false;  // queued
    };

    void adopt(Inittab table);
    Service* by_id(std::string_view id);
    bool belongs(const InittabEntry& entry) const;
    bool has(InittabAction action) const;
    const Service* front() const;
    const Service* waited_for() const;
    void wait_for_nothing();
    void clear_queue();
    void add_emergency();
    void queue(Service& service);
    void queue_all(InittabAction action);
    bool start_all(InittabAction action, Nanoseconds now);
    void enter(char level, Nanoseconds term_time, Nanoseconds now);
    void fill_for_level();
    void move_on(Nanoseconds now);
    bool next_phase(Nanoseconds now);
    bool start(Service& service, Nanoseconds now);
    void stop(Service& service, Nanoseconds term_time, Nanoseconds now);
    void press(Service& service, Nanoseconds now);
    void begin_down(PowerVerb verb, LastAct act, Nanoseconds now);
    void finish();
    void say_of(const std::string& id, const char* what) noexcept;
    void say(int level, const char* line) noexcept;

    SupervisorWorld& world_;
    Settings settings_;
    Inittab table_;  // its entries are in services_
    std::vector<Service> services_;
    InittabEntry emergency_ = emergency_entry();  // empty while it is among them
    unsigned last_queued_ = 0;
    Nanoseconds patience_{Nanoseconds::max()};  // with what is waited for
    enum class Phase { sysinit, boot, level } phase_ = Phase::sysinit;
    char level_ = '\0', before_ = 'N';
    bool boot_done_ = false;
    bool entering_ = false;  // what does not belong is ending; then the level's entries are queued
    std::optional<WayDown> down_;
    bool over_ = false;
};

}  // namespace diskless
