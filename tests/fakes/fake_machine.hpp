// A machine that remembers what it was told.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/os/machine.hpp"

namespace diskless {

class FakeMachine : public Machine {
  public:
    Result<> set_hostname(const std::string& name) override {
        if (name.empty() || name.size() > 64) return fail_errno("sethostname", EINVAL);
        hostname = name;
        return {};
    }
    Result<> set_nis_domain(const std::string& name) override {
        nis_domain = name;
        return {};
    }
    std::string kernel_release() const override { return "6.1.0-fake-amd64"; }
    std::uint64_t random() override { return random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL; }
    Result<std::string> secret(std::size_t bytes, Deadline) override { return std::string(bytes, 'S'); }
    void say(int level, std::string_view line) override { said.emplace_back(level, line); }
    void sync() override { ++syncs; }
    Error power(PowerVerb verb) override {
        powered.push_back(verb);
        return {"reboot: the fake machine goes on", {}, EPERM};
    }
    Result<> sysrq(char key) override {
        sysrqs.push_back(key);
        return {};
    }
    Result<> swap_on(const std::string& path) override {
        if (const auto bad = refused.find(path); bad != refused.end())
            return fail_errno("use swap " + path, bad->second);
        swaps.push_back(path);
        return {};
    }
    Result<> swap_off(const std::string& path) override {
        std::erase(swaps, path);
        return {};
    }
    Result<> load_kernel(const std::string& kernel, const std::string& initramfs,
                         const std::string& command_line) override {
        if (const auto bad = refused.find(kernel); bad != refused.end())
            return fail_errno("load kernel " + kernel, bad->second);
        kernels.push_back(kernel + " | " + initramfs + " | " + command_line);
        return {};
    }
    Result<> switch_root(const std::string& path) override {
        root = path;
        return {};
    }

    Result<> pivot_root(const std::string& path, const std::string& old_root) override {
        root = path;
        pivoted_from = old_root;
        return {};
    }

    bool has_said(std::string_view part) const {
        for (const auto& [level, line] : said)
            if (line.find(part) != std::string::npos) return true;
        return false;
    }

    std::string hostname, nis_domain, root = "/", sysrqs, pivoted_from;
    std::vector<std::pair<int, std::string>> said;
    std::vector<PowerVerb> powered;
    int syncs = 0;
    std::vector<std::string> swaps;      // in use
    std::vector<std::string> kernels;    // loaded, "kernel | initramfs | command line"
    std::map<std::string, int> refused;  // path: errno of swap_on and load_kernel

  private:
    std::uint64_t random_ = 1;
};

}  // namespace diskless
