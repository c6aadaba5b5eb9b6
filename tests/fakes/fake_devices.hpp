// Devices with modaliases, and a kernel that knows which module needs which.
#pragma once

#include <algorithm>
#include <functional>
#include <map>

#include "common/base/text.hpp"
#include "common/os/devices.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace diskless {

class FakeDevices : public Devices {
  public:
    Result<std::vector<std::string>> modaliases() override {
        (void)new_modaliases();
        return aliases;
    }
    Result<std::vector<std::string>> new_modaliases() override {
        ++looks;
        while (clock != nullptr && !later.empty() && later.begin()->first <= clock->now()) {
            aliases.push_back(later.begin()->second);
            later.erase(later.begin());
        }
        return aliases;
    }
    bool wait_for_event(Deadline) override { return false; }

    std::vector<std::string> aliases;
    FakeClock* clock = nullptr;
    std::multimap<Nanoseconds, std::string> later;  // aliases of devices that come when their time has come
    int looks = 0;
};

class FakeModules : public Modules {
  public:
    Result<> load(const std::string& path, const std::string&, const LeanForm& lean) override {
        std::string name(path.substr(path.rfind('/') + 1));
        name = name.substr(0, name.find('.'));
        if (const auto refused = refuses.find(name); refused != refuses.end())
            return fail_errno("load module " + path, refused->second, "see the kernel log");
        for (const auto& need : needs[name])
            if (std::ranges::find(names, need) == names.end())
                return fail_errno("load module " + path, ENOENT, "unknown symbol of " + need);
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        if (lean.bytes != 0) loaded_lean.push_back(name);
        if (on_load) on_load(name);
        return {};
    }
    Result<std::vector<std::string>> loaded() const override { return names; }

    std::map<std::string, std::vector<std::string>> needs;
    std::map<std::string, int> refuses;  // errno by name
    std::vector<std::string> names;
    std::vector<std::string> loaded_lean;
    std::function<void(const std::string&)> on_load;
};

}  // namespace diskless
