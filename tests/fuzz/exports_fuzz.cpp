// /etc/exports of anybody: read or told, never more lines than there are.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/base/text.hpp"
#include "server-helper/check/exports_file.hpp"
#include "server-helper/check/exports_policy.hpp"

using namespace diskless;
using namespace diskless::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Findings findings;
    const int all = static_cast<int>(lines(text).size());
    for (const auto& entry : parse_exports(text, "exports", findings)) {
        if (entry.line < 1 || entry.line > all) std::abort();
        for (const auto& client : entry.clients) {
            (void)kind_of_client(client.who);
            (void)client.squashes_root();
            (void)client.writable();
        }
    }
    for (const auto& finding : check_exports(text, "exports"))
        if (printable(finding.what) != finding.what || finding.rule.empty()) std::abort();
    return 0;
}
