#include "init/steps/look_at_root.hpp"

#include "common/base/pack.hpp"
#include "init/steps/find_init.hpp"

namespace diskless::steps {

namespace {
constexpr std::string_view kWritable = "writable";
}

std::string wanted_init(const Boot& boot) {
    // Started from the root itself we were asked for by init=: so we stay, unless another one is named by
    // diskless.init=.
    if (boot.root_is_there && (boot.config.init.empty() || boot.config.init == boot.called_as)) return kStay;
    return boot.config.init;
}

Result<std::string> look_at_root(Os& os, const Boot& boot, bool shared) {
    // First of all: for this question the kernel forgets the names that it knows of the root. One before 5.2 cannot
    // tell.
    const bool writable = shared && os.mounts.would_let_write(kNewRoot).value_or(false);
    std::vector<std::string> words(4);
    if (boot.config.root.image.empty()) {
        const auto init = TRY(find_init(os, wanted_init(boot)));
        words = TRY(unpack(init));
    }
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
