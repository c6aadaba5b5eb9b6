// What PID 1 is asked for: by signals of sysvinit, busybox, systemd and the kernel, and by /run/initctl.
#include <algorithm>
#include <csignal>

#include "init/supervisor/life.hpp"

namespace diskless {

namespace {
constexpr int kSystemdSignals = 34;  // SIGRTMIN, from which systemd(1) counts
}

void Life::signal(int number) {
    const auto now = os_.clock.now();
    switch (number) {
        case SIGINT:
            return supervisor_->ctrl_alt_del(now);
        case SIGWINCH:
            return supervisor_->keyboard_request(now);
        case SIGPWR:
            return power_status();
        case SIGHUP:
            return reload();
        case SIGQUIT:
            return supervisor_->restart(now);
        // busybox' signals
        case SIGTERM:
            return supervisor_->go_down(PowerVerb::reboot, now);
        case SIGUSR2:
            return supervisor_->go_down(PowerVerb::poweroff, now);
        case SIGUSR1:
            // sysvinit's scripts send it when they have mounted something over the fifo.
            if (fifo_is_hidden()) return process_.open_fifo();
            return supervisor_->go_down(PowerVerb::halt, now);
        // systemd's
        case kSystemdSignals + 3:
            return supervisor_->go_down(PowerVerb::halt, now);
        case kSystemdSignals + 4:
            return supervisor_->go_down(PowerVerb::poweroff, now);
        case kSystemdSignals + 5:
            return supervisor_->go_down(PowerVerb::reboot, now);
        case kSystemdSignals + 6:
            return supervisor_->go_down(PowerVerb::kexec, now);
        default:
            return;
    }
}

/// As programs of the root see it, not by our own way to /run; a server that is gone hides nothing.
bool Life::fifo_is_hidden() {
    const auto seen = os_.processes.in_child("look for the fifo", Deadline::after(os_.clock, Seconds{2}),
                                             [this]() -> Result<std::string> {
                                                 TRY(os_.files.status("/proc/self/root" + std::string(kInitctl)));
                                                 return std::string();
                                             });
    return !seen && seen.error().code == ENOENT;
}

void Life::request(const InitRequest& request) {
    const auto now = os_.clock.now();
    switch (request.command) {
        case InitCommand::run_level:
            if (request.level == 'q' || request.level == 'Q') return reload();
            if (request.level == 'u' || request.level == 'U') return world_.execute_anew();
            if (request.level == '0')
                return supervisor_->go_down(setting("INIT_HALT") == "HALT" ? PowerVerb::halt : PowerVerb::poweroff,
                                            now);
            return supervisor_->telinit(request.level, request.sleep_time, now);
        case InitCommand::power_failing:
            return supervisor_->power_status('F', now);
        case InitCommand::power_fails_now:
            return supervisor_->power_status('L', now);
        case InitCommand::power_is_back:
            return supervisor_->power_status('O', now);
        case InitCommand::set_environment:
            return set_environment(request.data);
        case InitCommand::start:
            return;
    }
}

void Life::power_status() {
    // sysvinit's and NUT's way to say what SIGPWR means; not from /etc, which is on NFS.
    const auto text = os_.files.read("/run/powerstatus", 16).value_or("F");
    supervisor_->power_status(text.empty() ? 'F' : text[0], os_.clock.now());
}

std::string_view Life::setting(std::string_view name) const {
    for (const auto& each : environment_)
        if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=')
            return std::string_view(each).substr(name.size() + 1);
    return {};
}

void Life::set_environment(const std::string& text) {
    const auto name = text.substr(0, text.find('='));
    // As sysvinit: nothing but names made for it, so that PATH and LD_PRELOAD cannot be set this way.
    if (!name.starts_with("INIT_")) return;
    std::erase_if(environment_, [&](const std::string& each) { return each.starts_with(name + "="); });
    if (text.size() > name.size() && environment_.size() < 48) environment_.push_back(text);
}

}  // namespace diskless
