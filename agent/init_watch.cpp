#include "agent/init_watch.hpp"

#include "common/base/text.hpp"

namespace diskless {

namespace {

/// The signals that a process has handlers for, as /proc/PID/status prints them: 16 digits, or nothing.
std::string_view caught_signals(std::string_view status) {
    constexpr std::string_view kLabel = "SigCgt:";
    for (const auto line : lines(status))
        if (line.starts_with(kLabel)) return trim(line.substr(kLabel.size()));
    return {};
}

}  // namespace

/// None is caught between exec and the first handler, either.
bool InitWatch::took_handlers_back(std::string_view status) {
    const auto caught = caught_signals(status);
    if (caught.empty()) return false;
    if (caught.find_first_not_of('0') == std::string_view::npos) return caught_signals_;
    caught_signals_ = true;
    return false;
}

void InitWatch::resume(std::string_view end) {
    for (const std::string_view known : {"reboot", "poweroff", "end"})
        if (end == known) end_ = known;
}

bool InitWatch::look(const Look& look) {
    if (end_) return false;
    if (look.term_sender || look.kind == InitKind::sysvinit)
        end_ = end_told_by_term(look.kind, look.term_sender.value_or("?"), run_level_of(look.utmp));
    if (!end_ && look.kind == InitKind::busybox && took_handlers_back(look.status)) end_ = "end";
    return end_.has_value();
}

}  // namespace diskless
