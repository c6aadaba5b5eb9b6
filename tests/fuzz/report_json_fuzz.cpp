// Reports, statuses and the agent's state as JSON: what can be read is written the same way again, and can be shown.
#include <cstdint>
#include <cstdlib>

#include "common/report/agent_state.hpp"
#include "common/report/json.hpp"

using namespace diskless;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto report = boot_report_from_json(text)) {
        const auto again = boot_report_from_json(to_json(*report));
        if (!again || !(*again == *report)) std::abort();
        if (!(*boot_report_from_json(to_json_line(*report)) == *report)) std::abort();
        (void)timeline_text(*report, 80, size % 2 == 0);
        (void)timeline_svg(*report);
        LiveFacts live;
        live.now = Seconds{1000};
        (void)status_text(node_status(*report, live));
    }
    if (const auto status = node_status_from_json(text)) {
        const auto again = node_status_from_json(to_json(*status));
        if (!again || !(*again == *status)) std::abort();
        (void)status_text(*status);
    }
    if (const auto state = agent_state_from_json(text)) {
        const auto again = agent_state_from_json(to_json(*state));
        if (!again || !(*again == *state)) std::abort();
    }
    return 0;
}
