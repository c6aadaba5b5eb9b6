// A module file that was cut short or tampered with, and a lean form that is of another one: nothing outside of the
// object is touched, and nothing at all where no call is found.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/image/lean_module.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace diskless;
    if (size < 3) return 0;
    // The first bytes say what is hidden and which symbol it is; the rest is the object.
    const LeanForm form{size - 3, {std::uint64_t{data[0]} << 6, std::uint64_t{data[1]} << 3}, data[2]};
    std::string elf(reinterpret_cast<const char*>(data + 3), size - 3);
    const auto before = elf;
    if (take_out_tracer_calls(elf, form.tracer) == 0 && elf != before) std::abort();
    (void)make_lean(elf, form);
    return 0;
}
