// The last lines that were said on the kernel log: what `disklessctl log` shows when the kernel has forgotten them.
#pragma once

#include <string_view>
#include <vector>

#include "common/os/machine.hpp"
#include "common/report/agent_state.hpp"

namespace diskless {

class MessageLog {
  public:
    static constexpr std::size_t kMostLines = 64;
    static constexpr std::size_t kLongestLine = 300;

    /// Lines of an earlier life come first.
    explicit MessageLog(std::vector<LogLine> earlier = {}) {
        for (auto& line : earlier) add(std::move(line));
        added_ = 0;
    }
    void add(LogLine line) {
        ++added_;
        if (line.text.size() > kLongestLine) line.text.resize(kLongestLine);
        if (lines_.size() >= kMostLines) lines_.erase(lines_.begin());
        lines_.push_back(std::move(line));
    }
    const std::vector<LogLine>& lines() const { return lines_; }
    /// Lines since it was made.
    std::size_t added() const { return added_; }

  private:
    std::vector<LogLine> lines_;
    std::size_t added_ = 0;
};

/// A machine whose words are kept.
class LoggedMachine : public Machine {
  public:
    LoggedMachine(Machine& machine, const Clock& clock, MessageLog& log)
        : machine_(machine), clock_(clock), log_(log) {}

    void say(int level, std::string_view line) override {
        log_.add({clock_.now(), level, std::string(line)});
        machine_.say(level, line);
    }
    Result<> set_hostname(const std::string& name) override { return machine_.set_hostname(name); }
    Result<> set_nis_domain(const std::string& name) override { return machine_.set_nis_domain(name); }
    std::string kernel_release() const override { return machine_.kernel_release(); }
    std::uint64_t random() override { return machine_.random(); }
    Result<std::string> secret(std::size_t bytes, Deadline deadline) override {
        return machine_.secret(bytes, deadline);
    }
    void sync() override { machine_.sync(); }
    Error power(PowerVerb verb) override { return machine_.power(verb); }
    Result<> sysrq(char key) override { return machine_.sysrq(key); }
    Result<> swap_on(const std::string& path) override { return machine_.swap_on(path); }
    Result<> swap_off(const std::string& path) override { return machine_.swap_off(path); }
    Result<> load_kernel(const std::string& kernel, const std::string& initramfs,
                         const std::string& command_line) override {
        return machine_.load_kernel(kernel, initramfs, command_line);
    }
    Result<> switch_root(const std::string& path) override { return machine_.switch_root(path); }
    Result<> pivot_root(const std::string& path, const std::string& old_root) override {
        return machine_.pivot_root(path, old_root);
    }

  private:
    Machine& machine_;
    const Clock& clock_;
    MessageLog& log_;
};

}  // namespace diskless
