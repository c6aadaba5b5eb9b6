#include "common/os/modules_linux.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/image/lean_module.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {

constexpr unsigned kCompressed = 4;  // MODULE_INIT_COMPRESSED_FILE, Linux 5.17 with CONFIG_MODULE_DECOMPRESS

bool is_compressed(std::string_view path) {
    return path.ends_with(".zst") || path.ends_with(".xz") || path.ends_with(".gz");
}

std::string remedy_for(int code) {
    switch (code) {
        case ENOENT:
            return "it uses a symbol that no loaded module has: load what it depends on first";
        case ENOEXEC:
            return "it was built for another kernel: rebuild the image for the kernel that boots";
        case EINVAL:
            return "it does not fit this kernel, or a parameter is wrong; the kernel log says which";
        case EKEYREJECTED:
        case ENOKEY:
            return "the kernel wants signed modules: take the distribution's own";
        case EPERM:
            return "this needs root privileges, and modules may be locked (kernel.modules_disabled)";
        case ENODEV:
            return "its hardware is not in this machine";
        case EOPNOTSUPP:
            return "the kernel cannot decompress it: store modules uncompressed in the image";
        default:
            return "";
    }
}

/// init_module(2) with the lean form of the open file; an errno, 0 when it is loaded. ENOEXEC: there is no such form.
int load_lean(int file, const LeanForm& lean, const std::string& parameters) {
    struct stat status {};
    if (fstat(file, &status) != 0 || lean.bytes > static_cast<std::uint64_t>(status.st_size)) return ENOEXEC;
    // Private: the file, which is in RAM already, stays whole; only the pages that are written to are copied.
    void* const mapped = mmap(nullptr, lean.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (mapped == MAP_FAILED) return ENOEXEC;
    int problem = make_lean({static_cast<char*>(mapped), lean.bytes}, lean) ? 0 : ENOEXEC;
    if (problem == 0 && syscall(SYS_init_module, mapped, lean.bytes, parameters.c_str()) != 0) problem = errno;
    munmap(mapped, lean.bytes);
    return problem;
}

/// Is it the form that the kernel refuses? Signatures are wanted: EKEYREJECTED or EPERM (lockdown), EACCES (IMA).
bool wants_whole(int problem) {
    return problem == EKEYREJECTED || problem == ENOKEY || problem == EPERM || problem == EACCES ||
           problem == ENOEXEC || problem == EINVAL;
}

}  // namespace

Result<> LinuxModules::load(const std::string& path, const std::string& parameters, const LeanForm& lean) {
    const auto what = "load module " + printable(path);
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return fail_errno(what, errno, errno == ENOENT ? "rebuild the image: the file is missing" : "");
    if (lean.bytes != 0 && !whole_only_) {
        const int problem = load_lean(file.get(), lean, parameters);
        if (problem == 0 || problem == EEXIST) return {};
        if (!wants_whole(problem)) return fail_errno(what, problem, remedy_for(problem));
        whole_only_ = true;
    }
    const unsigned flags = is_compressed(path) ? kCompressed : 0;
    if (syscall(SYS_finit_module, file.get(), parameters.c_str(), flags) == 0 || errno == EEXIST) return {};
    return fail_errno(what, errno, remedy_for(errno));
}

Result<std::vector<std::string>> LinuxModules::loaded() const {
    auto text = read_kernel_file("/proc/modules");
    if (!text && text.error().code == ENOENT && access("/proc/self", F_OK) == 0)
        return std::vector<std::string>{};  // a kernel without module support
    const auto listed = TRY_TO("list loaded modules", std::move(text));
    std::vector<std::string> names;
    for (const auto line : lines(listed)) {
        const auto parts = words(line);
        if (parts.empty()) continue;
        names.emplace_back(parts.front());
        std::replace(names.back().begin(), names.back().end(), '-', '_');
    }
    return names;
}

}  // namespace diskless
