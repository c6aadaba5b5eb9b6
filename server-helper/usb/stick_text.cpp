#include "server-helper/usb/stick_text.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"
#include "server-helper/render/menu.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kSector = 512;

std::string at(const std::vector<Ipv4>& list, std::size_t index) {
    return index < list.size() ? list[index].text() : "";
}

/// client:server:gateway:netmask:hostname:device:autoconf:dns0:dns1:ntp0
std::string static_ip(const Cluster& cluster, const ResolvedNode& node) {
    auto text = fmt::format("ip={}:{}:{}:{}:{}:{}:off:{}:{}:{}", node.address.text(), cluster.server.text(),
                            cluster.router.is_set() ? cluster.router.text() : "", netmask(cluster.prefix).text(),
                            node.hostname, node.interface, at(cluster.dns, 0), at(cluster.dns, 1), at(cluster.ntp, 0));
    while (text.back() == ':') text.pop_back();
    return text;
}

void put_number(std::string& sector, std::size_t where, std::uint64_t value, int bytes) {
    for (int n = 0; n < bytes; ++n) sector[where + static_cast<std::size_t>(n)] = static_cast<char>(value >> (8 * n));
}
/// "mkfs.fat 4.2 (2021-01-31)"
bool is_banner(std::string_view line) {
    const auto all = words(line);
    return all.size() >= 2 && all.size() <= 3 && !all[0].ends_with(':') && all[1].find('.') != std::string_view::npos &&
           all[1].find_first_not_of("0123456789.") == std::string_view::npos;
}
}  // namespace

std::string_view complaint_of(std::string_view output) {
    std::string_view last;
    for (const auto line : lines(trim(output)))
        if (!trim(line).empty() && (last.empty() || is_banner(last) || !is_banner(line))) last = trim(line);
    return last;
}

Result<std::string> stick_command_line(const Cluster& cluster, const ResolvedNode& node, bool static_address) {
    TRY_TO("node " + node.name, check_command_line(node.command_line));
    std::vector<std::string> parameters;
    for (const auto word : kernel_words(node.command_line)) parameters.emplace_back(word);
    if (static_address) {
        const auto remedy = fmt::format(
            "diskless-server node set {} ip=ADDRESS, network in cluster.toml; or --dhcp: the stick asks", node.name);
        if (!node.address.is_set()) return fail(fmt::format("node {} has no address in the list", node.name), remedy);
        if (cluster.prefix == 0) return fail("cluster.toml does not say the network of the nodes", remedy);
        for (auto& parameter : parameters)
            // ip=bootp, ip=rarp and whatever else the node's own cmdline says stay.
            if (parameter.starts_with("ip=") && parameter.ends_with("dhcp")) {
                parameter = static_ip(cluster, node);
                break;
            }
    }
    auto text = join(parameters, " ") + bootif(node);
    TRY_TO("node " + node.name, check_command_line(text));
    return text;
}

Result<std::string> stick_syslinux_config(const ResolvedNode& node, const std::string& command_line) {
    TRY(check_command_line(command_line));
    return fmt::format(
        "# Made by \"diskless-server usb create {}\".\n"
        "DEFAULT diskless\n"
        "PROMPT 0\n"
        "LABEL diskless\n"
        "  LINUX /vmlinuz\n"
        "  INITRD /initrd.img\n"
        "  APPEND {}\n",
        node.name, command_line);
}

Result<std::string> stick_grub_config(const ResolvedNode& node, const std::string& command_line) {
    return fmt::format(
        "# Made by \"diskless-server usb create {}\".\n"
        "linux /vmlinuz {}\n"
        "initrd /initrd.img\n"
        "boot\n",
        node.name, TRY_TO("node " + node.name, grub_arguments(command_line)));
}

std::uint64_t stick_partition_size(std::uint64_t content) {
    constexpr std::uint64_t kLeast = 64 * kMiB;
    // Two FATs of 4 bytes for each cluster of 512, directories, SYSLINUX itself.
    const auto wanted = content + content / 50 + 4 * kMiB;
    return std::max(kLeast, (wanted + kMiB - 1) / kMiB * kMiB);
}

Result<std::string> stick_boot_sector(std::string_view code, std::uint64_t partition_size, std::uint32_t signature,
                                      bool fat16) {
    constexpr std::size_t kCodeBytes = 440, kSignatureAt = 440, kFirstEntry = 446, kMagicAt = 510;
    constexpr char kActive = '\x80', kFat32Lba = '\x0C', kFat16Lba = '\x0E';
    if (code.size() > kCodeBytes)
        return fail(fmt::format("the boot code has {} bytes, 440 fit into a boot sector", code.size()));
    const auto sectors = partition_size / kSector;
    if (sectors > 0xFFFFFFFF) return fail("a partition table of this kind holds 2 TiB at most");
    std::string sector(kSector, '\0');
    sector.replace(0, code.size(), code);
    put_number(sector, kSignatureAt, signature, 4);
    sector[kFirstEntry] = kActive;
    // Cylinder, head and sector beyond what they can tell: who reads them takes the sector numbers.
    sector.replace(kFirstEntry + 1, 3, "\xFE\xFF\xFF");
    sector[kFirstEntry + 4] = fat16 ? kFat16Lba : kFat32Lba;
    sector.replace(kFirstEntry + 5, 3, "\xFE\xFF\xFF");
    put_number(sector, kFirstEntry + 8, kStickStart / kSector, 4);
    put_number(sector, kFirstEntry + 12, sectors, 4);
    sector[kMagicAt] = '\x55';
    sector[kMagicAt + 1] = '\xAA';
    return sector;
}

}  // namespace diskless::server
