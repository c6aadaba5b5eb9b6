// read-configuration: kernel command line and manifest of the image become the BootConfig.
#include <fmt/core.h>

#include "init/steps/steps.hpp"

namespace diskless::steps {

namespace {

Result<> run(StepContext& context, Boot& boot) {
    const auto command_line = TRY(context.os.files.read("/proc/cmdline"));
    Manifest manifest;
    if (const auto text = context.os.files.read(std::string(kManifestPath), 16 << 20)) {
        manifest = TRY_TO(kManifestPath, parse_manifest(*text));
        const auto running = context.os.machine.kernel_release();
        if (!manifest.kernel.empty() && manifest.kernel != running)
            context.degrade({fmt::format("the image's modules are for kernel {}, this is {}", manifest.kernel, running),
                             fmt::format("diskless-server initramfs build --kernel {}", running)});
    } else {
        context.note(fmt::format("no {}: only what is built into the kernel", kManifestPath));
    }
    auto config = parse_boot_config({command_line, manifest.parameters, manifest.built});
    context.publish([&] {
        boot.command_line = command_line.substr(0, command_line.find('\n'));
        boot.manifest = std::move(manifest);
        boot.config = std::move(config);
    });
    return {};
}

}  // namespace

Step read_configuration(Boot& boot) {
    return {.id = "read-configuration",
            .sentence = "read the kernel command line and the image's manifest",
            .needs = {"mount-api"},
            .deadline = Milliseconds{5000},
            .run = [&boot](StepContext& context) { return run(context, boot); }};
}

}  // namespace diskless::steps
