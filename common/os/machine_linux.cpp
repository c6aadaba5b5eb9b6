#include "common/os/machine_linux.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/os/anchors.hpp"
#include "common/os/clock_linux.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {

constexpr std::size_t kLongestRecord = 900;  // bytes; the kernel refuses records over about 1000 (PRINTKRB_RECORD_MAX)
constexpr int kKexec = 0x45584543;           // LINUX_REBOOT_CMD_KEXEC, not in <sys/reboot.h>

int command_of(PowerVerb verb) {
    switch (verb) {
        case PowerVerb::reboot:
            return RB_AUTOBOOT;
        case PowerVerb::poweroff:
            return RB_POWER_OFF;
        case PowerVerb::halt:
            return RB_HALT_SYSTEM;
        case PowerVerb::kexec:
            return kKexec;
    }
    return RB_AUTOBOOT;
}

bool write_line(const char* path, std::string_view record) {
    const At at(path);
    // A console can block for ever when its terminal stopped the output: never wait for it.
    const Descriptor file(openat(at.directory, at.path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    return file && write_all(file.get(), record.data(), record.size());
}

/// Where no processor, boot loader or device is trusted to give randomness, the kernel makes its own of jitter within a
/// second; but only while somebody waits for it (since Linux 5.4). That is a thread, for older ones could take forever.
void wait_for_randomness_beside() {
    pthread_t thread;
    const auto wait = [](void*) -> void* {
        char byte = 0;
        (void)!getrandom(&byte, sizeof byte, 0);
        return nullptr;
    };
    if (pthread_create(&thread, nullptr, wait, nullptr) == 0) pthread_detach(thread);
}

}  // namespace

Result<> LinuxMachine::set_hostname(const std::string& name) {
    if (sethostname(name.data(), name.size()) != 0)
        return fail_errno("set hostname " + printable(name), errno, errno == EINVAL ? "at most 64 characters" : "");
    return {};
}

Result<> LinuxMachine::set_nis_domain(const std::string& name) {
    if (setdomainname(name.data(), name.size()) != 0)
        return fail_errno("set NIS domain " + printable(name), errno, errno == EINVAL ? "at most 64 characters" : "");
    return {};
}

std::string LinuxMachine::kernel_release() const {
    utsname names{};
    return uname(&names) == 0 ? names.release : "";
}

std::uint64_t LinuxMachine::random() {
    std::uint64_t number = 0;
    // GRND_INSECURE is known since Linux 5.6
    if (getrandom(&number, sizeof number, GRND_INSECURE) == sizeof number) return number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number) return number;
    // /dev/urandom never blocks on the kernels that come here; the clock keeps two nodes apart where it is not there
    // yet
    const Descriptor file(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
    if (file && read(file.get(), &number, sizeof number) == sizeof number) return number;
    const auto time = static_cast<std::uint64_t>((linux_clock().now() + linux_clock().wall()).count());
    return time * 0x9E3779B97F4A7C15ULL;
}

Result<std::string> LinuxMachine::secret(std::size_t bytes, Deadline deadline) {
    std::string secret(bytes, '\0');
    bool asked = false;
    for (std::size_t had = 0; had < bytes;) {
        const auto got = getrandom(secret.data() + had, bytes - had, GRND_NONBLOCK);
        if (got >= 0) {
            had += static_cast<std::size_t>(got);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail_errno("get random bytes");
        if (deadline.passed(linux_clock()))
            return fail_errno("wait for the kernel's random pool", ETIMEDOUT,
                              "give the machine a source of randomness (virtio-rng, a newer CPU, a kept seed)");
        if (!std::exchange(asked, true)) wait_for_randomness_beside();
        // poll(2) on /dev/random means different things in different kernels; this state ends once in a boot
        linux_clock().sleep(std::min<Nanoseconds>(Milliseconds{20}, deadline.left(linux_clock())));
    }
    return secret;
}

std::string kernel_log_record(int level, std::string_view line) {
    auto record = fmt::format("<{}>diskless: {}", std::clamp(level, 0, 7), printable(line.substr(0, kLongestRecord)));
    if (record.size() >= kLongestRecord) {
        std::size_t end = kLongestRecord - 4;
        while ((static_cast<unsigned char>(record[end]) & 0xC0) == 0x80) --end;  // not within a UTF-8 character
        record.resize(end);
        record += "...";
    }
    return record += '\n';
}

void LinuxMachine::say(int level, std::string_view line) {
    const auto record = kernel_log_record(level, line);
    // Opened for each line: the kernel lets ten lines in five seconds through per open file (printk.devkmsg=ratelimit),
    // and /dev changes its place at the root switch.
    if (write_line("/dev/kmsg", record)) return;
    write_line("/dev/console", record.substr(record.find('>') + 1));
}

void LinuxMachine::sync() { ::sync(); }

Error LinuxMachine::power(PowerVerb verb) {
    ::reboot(command_of(verb));
    return fail_errno(fmt::format("reboot(2), {}", text(verb)), errno,
                      verb == PowerVerb::kexec && errno == EINVAL ? "load a kernel by kexec first" : "")
        .value();
}

Result<> LinuxMachine::sysrq(char key) {
    const At at("/proc/sysrq-trigger");
    const Descriptor trigger(openat(at.directory, at.path, O_WRONLY | O_CLOEXEC));
    if (!trigger || !write_all(trigger.get(), &key, 1))
        return fail_errno(fmt::format("sysrq '{}' by /proc/sysrq-trigger", printable(std::string_view(&key, 1))));
    return {};
}

Result<> LinuxMachine::swap_on(const std::string& path) {
    if (swapon(path.c_str(), 0) == 0) return {};
    const int code = errno;
    return fail_errno("use swap " + printable(path), code,
                      code == EINVAL  ? "it has no swap header, or holes: mkswap it"
                      : code == EROFS ? "its file system is read-only: unmount it cleanly where it was used last"
                                      : "");
}

Result<> LinuxMachine::swap_off(const std::string& path) {
    if (swapoff(path.c_str()) != 0) return fail_errno("stop using swap " + printable(path));
    return {};
}

Result<> LinuxMachine::load_kernel(const std::string& kernel, const std::string& initramfs,
                                   const std::string& command_line) {
    constexpr unsigned long kNoInitramfs = 4;  // KEXEC_FILE_NO_INITRAMFS, linux/kexec.h
    const Descriptor image(open(kernel.c_str(), O_RDONLY | O_CLOEXEC));
    if (!image) return fail_errno("open " + printable(kernel));
    Descriptor ram_disk;
    if (!initramfs.empty()) {
        ram_disk = Descriptor(open(initramfs.c_str(), O_RDONLY | O_CLOEXEC));
        if (!ram_disk) return fail_errno("open " + printable(initramfs));
    }
    // The length counts the final zero.
    if (syscall(SYS_kexec_file_load, image.get(), ram_disk.get(), command_line.size() + 1, command_line.c_str(),
                initramfs.empty() ? kNoInitramfs : 0UL) == 0)
        return {};
    const int code = errno;
    return fail_errno("load kernel " + printable(kernel), code,
                      code == ENOSYS    ? "this kernel was built without CONFIG_KEXEC_FILE"
                      : code == EPERM   ? "kexec is forbidden here: kernel.kexec_load_disabled, or lockdown"
                      : code == ENOEXEC ? "this is no kernel that can be loaded"
                      : code == EINVAL  ? "the command line is too long for that kernel, or it is of another machine"
                      : code == ENOMEM  ? "not enough free memory for kernel and initramfs"
                      : code == EKEYREJECTED || code == ENODATA ? "secure boot wants a signed kernel"
                                                                : "");
}

Result<> LinuxMachine::switch_root(const std::string& path) {
    const auto what = "switch root to " + printable(path);
    // Nothing in the old root is moved or deleted: the resident agent goes on living there, with its own /proc, /sys,
    // /dev and /run. pivot_root(2) is no choice, the kernel's first root cannot be pivoted away.
    if (chdir(path.c_str()) != 0) return fail_errno(what);
    if (mount(".", "/", nullptr, MS_MOVE, nullptr) != 0)
        return fail_errno(what + ", move its mount onto /", errno,
                          errno == EINVAL ? "the new root must be a mount point, and / must not be shared" : "");
    if (chroot(".") != 0) return fail_errno(what + ", chroot");
    if (chdir("/") != 0) return fail_errno(what + ", chdir /");
    return {};
}

Result<> LinuxMachine::pivot_root(const std::string& path, const std::string& old_root) {
    const auto what = "make " + printable(path) + " the root";
    // Refused where mounts are shared with other namespaces; PID 1 has none to share with.
    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (chdir(path.c_str()) != 0) return fail_errno(what);
    if (syscall(SYS_pivot_root, path.c_str(), old_root.c_str()) != 0)
        return fail_errno(what + ", pivot_root", errno,
                          errno == EINVAL ? "the kernel's first root cannot be left this way" : "");
    if (chroot(".") != 0 || chdir("/") != 0) return fail_errno(what + ", chroot");
    return {};
}

}  // namespace diskless
