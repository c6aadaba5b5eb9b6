#include "init/steps/look_at_root.hpp"

#include <fmt/core.h>

#include "common/base/pack.hpp"
#include "init/steps/find_init.hpp"

namespace diskless::steps {

namespace {
constexpr std::string_view kWritable = "writable";
}

Result<bool> has_image(const Files& files, const std::string& image) {
    if (image.empty()) return false;
    const auto status = files.status(join_path(kNewRoot, image));
    if (!status && status.error().code != ENOENT && status.error().code != ENOTDIR) return Failure(status.error());
    return status.has_value();
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
    const auto& image = boot.config.root.image;
    std::vector<std::string> words(4);
    if (!TRY(has_image(os.files, image))) {
        const auto init = find_init(os, kNewRoot, wanted_init(boot));
        if (!init && image.empty()) return init;
        if (!init)
            return fail(
                fmt::format("the root's directory has no {}, nor is it a root itself: {}", image, init.error().cause),
                "write the image's path below that directory into diskless.image=", init.error().code);
        words = TRY(unpack(*init));
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
