#include "init/steps/look_at_root.hpp"

#include "common/base/pack.hpp"
#include "init/steps/find_init.hpp"

namespace diskless::steps {

namespace {
constexpr std::string_view kWritable = "writable";
}

Result<std::string> look_at_root(Os& os, const std::string& wanted_init, bool shared) {
    // First of all: for this question the kernel forgets the names that it knows of the root. One before 5.2 cannot
    // tell.
    const bool writable = shared && os.mounts.would_let_write(kNewRoot).value_or(false);
    const auto init = TRY(find_init(os, wanted_init));
    auto words = TRY(unpack(init));
    words.emplace_back(writable ? kWritable : "");
    return pack(words);
}

void tell_of_export(StepContext& context, const std::vector<std::string>& looked_at, const std::string& server,
                    const std::string& path) {
    if (looked_at.empty() || looked_at.back() != kWritable) return;
    context.degrade({server + ":" + path + " is exported read-write: any node can change the root of all",
                     "export it ro: \"" + path + " <network>(ro,no_root_squash)\" in /etc/exports", 0});
}

}  // namespace diskless::steps
