#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "common/image/lean_module.hpp"
#include "initramfs/module_file.hpp"

namespace diskless {

namespace {
struct TemporaryFile {
    std::string path = (std::filesystem::temp_directory_path() / "diskless-module-XXXXXX").string();
    int descriptor = mkstemp(path.data());
    TemporaryFile() = default;
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (descriptor < 0) return;
        close(descriptor);
        unlink(path.c_str());
    }
};

int run_strip(const std::string& path, std::span<const std::string_view> unneeded) {
    std::vector<const char*> arguments{"strip", "--strip-unneeded", "-R", ".comment", "-R", ".BTF", "-R", ".note.*"};
    for (const auto section : unneeded) arguments.insert(arguments.end(), {"-R", section.data()});
    arguments.insert(arguments.end(), {path.c_str(), nullptr});
    pid_t child = 0;
    // posix_spawnp takes char* for historical reasons only.
    if (const int problem =
            posix_spawnp(&child, "strip", nullptr, nullptr, const_cast<char**>(arguments.data()), environ))
        return problem == ENOENT ? 127 : 1;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
}  // namespace

Result<std::string> strip_module(std::string_view elf) {
    const TemporaryFile file;
    if (file.descriptor < 0) return fail_errno("create " + file.path);
    std::string untraced(elf);
    take_out_tracer_calls(untraced, tracer_symbol(elf));
    std::ofstream(file.path, std::ios::binary).write(untraced.data(), static_cast<std::streamsize>(untraced.size()));
    int status = run_strip(file.path, unneeded_sections(elf));
    // A kernel whose other sections refer to those keeps them.
    if (status != 0 && status != 127) status = run_strip(file.path, {});
    if (status == 127) return fail("there is no program \"strip\"", "install binutils, or build without --strip");
    if (status != 0) return fail(fmt::format("strip ended with status {}", status), "build without --strip");
    return read_decompressed(file.path);
}

}  // namespace diskless
