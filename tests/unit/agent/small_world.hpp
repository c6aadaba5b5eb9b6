// The few things of a node that the agent and disklessctl look at: a clock that moves when waited for, files in a map,
// children that run here, a machine that remembers what was done to it.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "common/os/clock.hpp"
#include "common/os/files.hpp"
#include "common/os/machine.hpp"
#include "common/os/mounts.hpp"
#include "common/os/processes.hpp"

namespace diskless::test_agent {

class SmallClock : public Clock {
  public:
    Nanoseconds time = Seconds{100};
    Nanoseconds wall_at_boot = Seconds{1'795'000'000};

    // This and sleep() may be called by two threads at once: one feeds the watchdog on the way down.
    Nanoseconds now() const override {
        const std::lock_guard lock(mutex_);
        return time;
    }
    Nanoseconds wall() const override { return wall_at_boot + time; }
    Result<> set_wall(Nanoseconds) override { return {}; }
    void sleep(Nanoseconds duration) override {
        const std::lock_guard lock(mutex_);
        time += duration;
    }

  private:
    mutable std::mutex mutex_;
};

class SmallFiles : public Files {
  public:
    bool writable(const std::string&) const override { return true; }
    std::map<std::string, std::string> content;
    std::map<std::string, std::string> links;
    std::set<std::string> directories;
    std::set<std::string> fifos;
    std::map<std::string, std::int64_t> modified;
    bool read_only = false;

    Result<std::string> read(const std::string& path, std::size_t) const override {
        const auto found = content.find(path);
        if (found == content.end()) return fail_errno("read " + path, ENOENT);
        return found->second;
    }
    Result<> write(const std::string& path, std::string_view text) override {
        content[path] = std::string(text);
        return {};
    }
    Result<> replace(const std::string& path, std::string_view text, std::uint32_t) override {
        if (read_only) return fail_errno("write " + path, EROFS);
        return write(path, text);
    }
    Result<FileStatus> status(const std::string& path) const override {
        FileStatus status;
        const auto time = modified.find(path);
        if (time != modified.end()) status.modified = time->second;
        if (directories.count(path) != 0) {
            status.kind = FileKind::directory;
        } else if (fifos.count(path) != 0) {
            status.kind = FileKind::fifo;
        } else if (const auto found = content.find(path); found != content.end()) {
            status.size = found->second.size();
        } else {
            return fail_errno("stat " + path, ENOENT);
        }
        status.device = 1;
        return status;
    }
    Result<std::string> read_link(const std::string& path) const override {
        const auto found = links.find(path);
        if (found == links.end()) return fail_errno("readlink " + path, ENOENT);
        return found->second;
    }
    Result<std::vector<std::string>> list(const std::string& path) const override {
        std::vector<std::string> names;
        for (const auto& [name, text] : content)
            if (parent_path(name) == path) names.push_back(base_name(name));
        for (const auto& name : directories)
            if (name != path && parent_path(name) == path) names.push_back(base_name(name));
        return names;
    }
    Result<> remove(const std::string& path) override {
        content.erase(path);
        return {};
    }
    // Nobody here makes trees.
    Result<> make_directories(const std::string&, std::uint32_t) override { return unused(); }
    Result<> make_symlink(const std::string&, const std::string&) override { return unused(); }
    Result<> make_device(const std::string&, FileKind, unsigned, unsigned, std::uint32_t) override { return unused(); }
    Result<> make_file(const std::string&, std::uint32_t) override { return unused(); }
    Result<> link(const std::string&, const std::string&) override { return unused(); }
    Result<> rename(const std::string&, const std::string&) override { return unused(); }
    Result<> set_mode(const std::string&, std::uint32_t) override { return unused(); }
    Result<> remove_tree(const std::string&) override { return unused(); }
    Result<CopyResult> copy(const std::string&, const std::string&, CopyWhat, bool) override {
        return Failure(unused().error());
    }

  private:
    static Result<> unused() { return fail("not in this small world"); }
};

class SmallMounts : public Mounts {
  public:
    Result<> bind_tree(const std::string&, const std::string&) override { return {}; }
    std::vector<MountEntry> entries;

    Result<std::vector<MountEntry>> table() const override { return entries; }
    bool knows_type(const std::string&) const override { return false; }
    Result<> mount(const MountRequest&) override { return fail("not in this small world"); }
    Result<> bind(const std::string&, const std::string&, bool, const std::string&) override {
        return fail("not in this small world");
    }
    Result<> move(const std::string&, const std::string&) override { return fail("not in this small world"); }
    Result<> remount(const std::string&, const std::string&) override { return fail("not in this small world"); }
    Result<bool> would_let_write(const std::string&) override { return fail("not in this small world"); }
    Result<> unmount(const std::string&, Unmount) override { return fail("not in this small world"); }
};

class SmallProcesses : public Processes {
  public:
    int own_pid() const override { return 42; }
    explicit SmallProcesses(SmallClock& clock) : clock_(clock) {}
    std::set<std::string> hanging;  // children with these words never end
    std::vector<std::pair<int, int>> signals;
    std::vector<std::string> children;

    Result<std::string> in_child(std::string_view what, Deadline deadline,
                                 const std::function<Result<std::string>()>& work) override {
        children.emplace_back(what);
        if (hanging.count(std::string(what)) != 0) {
            clock_.time = std::max(clock_.time, deadline.at);
            return fail(std::string(what) + ": no end in time", {}, ETIMEDOUT);
        }
        return work();
    }
    Result<int> spawn(const SpawnRequest&) override { return fail("not in this small world"); }
    Result<int> wait(int, Deadline) override { return fail("not in this small world"); }
    Error execute(const std::string&, const std::vector<std::string>&, const std::vector<std::string>&) override {
        return {};
    }
    Result<> signal(int pid, int number) override {
        signals.emplace_back(pid, number);
        return {};
    }
    std::vector<std::string> executed() const override { return {}; }

  private:
    SmallClock& clock_;
};

class SmallMachine : public Machine {
  public:
    void sync() override {}
    std::vector<std::string> done;  // "power reboot", "sysrq b"
    std::string said;

    void say(int, std::string_view line) override { said += std::string(line) + "\n"; }
    Error power(PowerVerb verb) override {
        done.push_back(std::string("power ") + (verb == PowerVerb::reboot     ? "reboot"
                                                : verb == PowerVerb::poweroff ? "poweroff"
                                                                              : "halt"));
        return {"reboot: Operation not permitted", {}, EPERM};
    }
    Result<> sysrq(char key) override {
        done.push_back(std::string("sysrq ") + key);
        return {};
    }
    Result<> set_hostname(const std::string&) override { return {}; }
    Result<> set_nis_domain(const std::string&) override { return {}; }
    std::string kernel_release() const override { return "6.1"; }
    std::uint64_t random() override { return 4; }
    Result<std::string> secret(std::size_t bytes, Deadline) override { return std::string(bytes, 'x'); }
    Result<> switch_root(const std::string&) override { return {}; }
    Result<> pivot_root(const std::string&, const std::string&) override { return {}; }
    Result<> swap_on(const std::string&) override { return {}; }
    Result<> swap_off(const std::string&) override { return {}; }
    Result<> load_kernel(const std::string&, const std::string&, const std::string&) override { return {}; }
};

}  // namespace diskless::test_agent
