// Input: our clock when we sent (8 bytes) and how long the answer took (4 bytes), then the answer; its cookie is put
// right.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/net/bytes.hpp"
#include "common/net/sntp.hpp"

using namespace diskless;
using std::chrono::nanoseconds;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in({reinterpret_cast<const char*>(data), size});
    // A wall clock shows something between 1970 and 2240.
    const nanoseconds sent(static_cast<std::int64_t>(in.u64() % 8'500'000'000'000'000'000));
    const nanoseconds received = sent + nanoseconds(in.u32());
    std::string answer(in.rest());
    if (answer.size() >= 32) answer.replace(24, 8, "cookie!!");
    const auto sample = parse_sntp_reply(answer, 0x636F6F6B69652121, sent, received);
    if (!sample) return 0;
    if (sample->round_trip < nanoseconds(0) || sample->round_trip > received - sent) std::abort();
    if (sample->stratum < 1 || sample->stratum > 15) std::abort();
    if (best_sample({*sample, {nanoseconds(5), nanoseconds(3), 1}}) == std::nullopt) std::abort();
    return 0;
}
