#include "server-helper/usb/stick_device.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "common/base/text.hpp"
#include "common/os/descriptor.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/mounts.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

std::string first_line(const std::string& path) {
    const auto text = LinuxFiles().read(path);
    return text ? std::string(trim(*text)) : "";
}

/// The disk's own number and those of its partitions, with their names in /dev.
std::map<std::string, std::string> numbers_of(const std::string& directory) {
    const LinuxFiles files;
    std::map<std::string, std::string> numbers{{first_line(directory + "/dev"), "/dev/" + base_name(directory)}};
    for (const auto& name : files.list(directory).value_or(std::vector<std::string>{}))
        if (files.exists(directory + "/" + name + "/partition"))
            numbers[first_line(directory + "/" + name + "/dev")] = "/dev/" + name;
    return numbers;
}

/// Device mapper, md and the like that stand on it.
void add_holders(const std::string& directory, const std::string& shown, StickDevice& device) {
    for (const auto& name : LinuxFiles().list(directory + "/holders").value_or(std::vector<std::string>{}))
        device.uses.push_back(fmt::format("{} is part of /dev/{}", shown, name));
}
}  // namespace

Result<StickDevice> describe_device(const std::string& path, const std::string& number, const std::string& sysfs,
                                    std::string_view mountinfo, std::string_view swaps) {
    const LinuxFiles files;
    const auto link = join_path(sysfs, "dev/block/" + number);
    const auto target = files.read_link(link);
    if (!target) return within("look at " + path, target.error());
    // "../../devices/…/block/sdb/sdb1"
    const auto directory = join_path(parent_path(link), *target);
    StickDevice device;
    device.path = path;
    if (files.exists(directory + "/partition")) device.disk = base_name(parent_path(directory));
    device.size = parse_number<std::uint64_t>(first_line(directory + "/size")).value_or(0) * 512;
    device.removable = first_line(directory + "/removable") == "1";
    device.read_only = first_line(directory + "/ro") == "1";
    const auto numbers = numbers_of(directory);
    for (const auto line : lines(mountinfo)) {
        const auto fields = split(line, ' ');
        const auto used = fields.size() > 4 ? numbers.find(std::string(fields[2])) : numbers.end();
        if (used == numbers.end()) continue;
        for (const auto& mount : parse_mountinfo(line))
            device.uses.push_back(fmt::format("{} is mounted on {}", used->second, printable(mount.target)));
    }
    for (const auto line : lines(swaps))
        for (const auto& [other, name] : numbers)
            if (const auto fields = words(line); !fields.empty() && fields[0] == name)
                device.uses.push_back(name + " is swap");
    for (const auto& [other, name] : numbers)
        add_holders(base_name(name) == base_name(directory) ? directory : directory + "/" + base_name(name), name,
                    device);
    return device;
}

Result<StickDevice> look_at_device(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return fail_errno("look at " + path, errno, "is the stick plugged in?");
    if (!S_ISBLK(status.st_mode))
        return fail(path + " is no block device", "name the stick, as /dev/sdb; a file is written by --out");
    const auto mountinfo = TRY(LinuxFiles().read("/proc/self/mountinfo", kMostBytes));
    const auto swaps = LinuxFiles().read("/proc/swaps", kMostBytes).value_or("");
    return describe_device(path, fmt::format("{}:{}", major(status.st_rdev), minor(status.st_rdev)), "/sys", mountinfo,
                           swaps);
}

Result<> check_device(const StickDevice& device, std::uint64_t needed, bool force) {
    if (!device.disk.empty())
        return fail(fmt::format("{} is a partition", device.path),
                    fmt::format("name the whole stick: /dev/{}", device.disk));
    if (!device.uses.empty())
        return fail(fmt::format("{} is in use: {}", device.path, join(device.uses, ", ")),
                    "umount it (swapoff, …) first, if it is the stick that you mean");
    if (device.read_only) return fail(device.path + " is read-only", "open the write protection of the stick");
    if (device.size < needed)
        return fail(
            fmt::format("{} has {} MiB, {} are needed", device.path, device.size >> 20, (needed + (1 << 20) - 1) >> 20),
            "take a larger stick");
    if (!device.removable && !force)
        return fail(device.path + " does not say that it is removable: it may be a disk of this machine",
                    "look at it with lsblk; if it is the stick all the same: --force");
    return {};
}

namespace {
constexpr std::size_t kBlock = 1 << 20;

Result<std::size_t> read_at(int file, char* to, std::uint64_t offset, const std::string& shown) {
    std::size_t used = 0;
    while (used < kBlock) {
        const auto got = ::pread(file, to + used, kBlock - used, static_cast<off_t>(offset + used));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + shown);
        if (got == 0) break;
        used += static_cast<std::size_t>(got);
    }
    return used;
}

Result<> write_at(int file, const char* from, std::size_t size, std::uint64_t offset, const std::string& shown) {
    while (size > 0) {
        const auto put = ::pwrite(file, from, size, static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno("write " + shown, errno, "the stick is not usable now; try another one");
        from += put;
        offset += static_cast<std::uint64_t>(put);
        size -= static_cast<std::size_t>(put);
    }
    return {};
}
}  // namespace

Result<> write_device(const std::string& image, const std::string& device,
                      const std::function<void(std::uint64_t done, std::uint64_t all)>& progress) {
    const Descriptor from(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from) return fail_errno("open " + image);
    struct stat status {};
    if (::fstat(from.get(), &status) != 0) return fail_errno("stat " + image);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    // O_EXCL on a block device: EBUSY when it or a partition of it is mounted, swap or part of another.
    Descriptor to(::open(device.c_str(), O_RDWR | O_EXCL | O_CLOEXEC));
    if (!to) return fail_errno("open " + device, errno, errno == EBUSY ? "somebody uses it: umount it first" : "");
    std::string buffer(kBlock, '\0'), found(kBlock, '\0');
    const auto copy = [&](std::uint64_t offset) -> Result<> {
        const auto got = TRY(read_at(from.get(), buffer.data(), offset, image));
        return write_at(to.get(), buffer.data(), got, offset, device);
    };
    // Until all else is there, nothing says that there is something to boot.
    TRY(write_at(to.get(), buffer.data(), kBlock, 0, device));
    for (std::uint64_t offset = kBlock; offset < size; offset += kBlock) {
        TRY(copy(offset));
        if (progress) progress(offset, size * 2);
    }
    if (::fsync(to.get()) != 0) return fail_errno("write " + device);
    TRY(copy(0));
    if (::fsync(to.get()) != 0) return fail_errno("write " + device);
    (void)::ioctl(to.get(), BLKFLSBUF);  // what is compared comes from the stick, not from memory
    (void)::posix_fadvise(to.get(), 0, 0, POSIX_FADV_DONTNEED);
    for (std::uint64_t offset = 0; offset < size; offset += kBlock) {
        const auto wanted = TRY(read_at(from.get(), buffer.data(), offset, image));
        const auto there = TRY(read_at(to.get(), found.data(), offset, device));
        if (there < wanted || !std::equal(buffer.data(), buffer.data() + wanted, found.data()))
            return fail(fmt::format("{} does not hold what was written, near byte {}", device, offset),
                        "the stick is broken; take another one");
        if (progress) progress(size + offset, size * 2);
    }
    (void)::ioctl(to.get(), BLKRRPART);
    return {};
}

}  // namespace diskless::server
