#include "server-helper/red_hat_commands.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>

#include <cstdlib>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "server-helper/initramfs_commands.hpp"
#include "server-helper/snapshot/red_hat.hpp"

namespace diskless::server {

namespace {

constexpr std::string_view kPxeosHelp =
    "usage: pxeos -a -i DESCRIPTION -p NFS -D 1 -s SERVER -L LOCATION [-k KERNEL] NAME\n"
    "       pxeos -l | -d NAME\n\n"
    "Operating systems that diskless nodes boot.\n\n"
    "  -a  add or update      -l  list       -d  delete\n"
    "  -i  description        -p  protocol: NFS\n"
    "  -D  1: diskless        -s  NFS server; empty: the one that the nodes boot from\n"
    "  -L  directory that holds root/\n"
    "  -k  kernel release; default: the newest in root/boot\n"
    "  --initrd=FILE    take this initramfs, do not build one (or $PXEOS_INITRD)\n"
    "  --tftp-dir=DIR   default /tftpboot/linux-install (or $PXE_TFTP_DIR)\n\n"
    "Example:\n"
    "  pxeos -a -i rhel5compute -p NFS -D 1 -s 10.9.0.1 -L /diskless/i386/RHEL5-AS rhel5compute\n";

constexpr std::string_view kPxebootHelp =
    "usage: pxeboot -a -O NAME -r SIZE -S SNAPSHOT -e ETH -N NISDOMAIN -s SERIAL IP|HOST\n"
    "       pxeboot -l | -d IP|HOST\n\n"
    "Diskless nodes: their PXELINUX files and snapshots.\n\n"
    "  -a  add or update      -l  list       -d  delete; the snapshot stays\n"
    "  -O  operating system (see pxeos)\n"
    "  -r  size of the ram disk in kB (kept in the file; nothing needs it now)\n"
    "  -S  name of the snapshot; default: IP or host as given\n"
    "  -e  interface          -N  NIS domain\n"
    "  -s  serial console, as \"console=ttyS0,115200n8\"\n"
    "  --tftp-dir=DIR   default /tftpboot/linux-install (or $PXE_TFTP_DIR)\n\n"
    "Example:\n"
    "  pxeboot -a -O rhel5compute -r 28753 -S node001 -e eth0 -N my_nis_domain 10.8.136.1\n";

std::string chosen(const RedHatOptions& options, const std::string& word, const char* variable, const char* usual) {
    if (const auto given = options.word(word); !given.empty()) return given;
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? value : usual;
}

Result<RedHatOptions> parsed(const std::vector<std::string>& arguments, std::string_view flags,
                             std::string_view with_value, std::string_view program) {
    auto options = parse_red_hat_options(arguments, flags, with_value);
    if (!options) return bad_usage(options.error().cause, fmt::format("see: {} --help", program));
    return options;
}

Result<Ipv4> address_of(const std::string& name) {
    if (const auto address = Ipv4::parse(name)) return *address;
    addrinfo hints{};
    hints.ai_family = AF_INET;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
    if (code != 0)
        return fail(fmt::format("no address is known of {}: {}", printable(name), ::gai_strerror(code)),
                    "add it to /etc/hosts, or give the address");
    const auto value = ntohl(reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr.s_addr);
    ::freeaddrinfo(found);
    return Ipv4(value);
}

}  // namespace

Result<> pxeos(const std::vector<std::string>& arguments, Streams& streams) {
    const auto options = TRY(parsed(arguments, "aldh", "ipDsLk", "pxeos"));
    if (options.has('h') || options.words.contains("help")) {
        streams.out << kPxeosHelp;
        return {};
    }
    RedHatTree tree(chosen(options, "tftp-dir", "PXE_TFTP_DIR", kTftpDirectory));
    if (options.has('l')) {
        for (const auto& system : TRY(tree.systems())) streams.out << describe(system);
        return {};
    }
    if (options.names.size() != 1) return bad_usage("the name of one operating system is needed", "see: pxeos --help");
    if (options.has('d')) return tree.remove_system(options.names[0]);
    if (!options.has('a')) return bad_usage("one of -a, -l and -d is needed", "see: pxeos --help");
    if (options.value('L').empty()) return bad_usage("-L LOCATION is missing", "see: pxeos --help");
    if (!options.value('p').empty() && lower(options.value('p')) != "nfs")
        return bad_usage("-p " + printable(options.value('p')) + ": nodes have their root on NFS only", "use -p NFS");
    if (options.value('D') == "0")
        return bad_usage("-D 0: installing on disks is not what this does",
                         "use -D 1, or the distribution's installer");
    RedHatSystem system;
    system.name = options.names[0];
    system.description = options.value('i').empty() ? system.name : options.value('i');
    system.server = options.value('s');
    system.location = options.value('L');
    system.kernel = options.value('k');
    const auto ready = chosen(options, "initrd", "PXEOS_INITRD", "");
    const auto make_initrd = [&](const std::string& kernel, const std::string& root,
                                 const std::string& out) -> Result<> {
        LinuxFiles files;
        if (ready.empty())
            return build_initramfs({"--kernel", kernel, "--root", root, "--out", out, "--quiet"}, streams);
        TRY(files.remove(out));
        TRY(files.copy(ready, out, CopyWhat::everything));
        return {};
    };
    const bool asked = !system.kernel.empty();
    const auto made = TRY(tree.add_system(std::move(system), make_initrd, !ready.empty()));
    if (!asked) streams.out << "Kernel not specified, using " << made.kernel << '\n';
    return {};
}

Result<> pxeboot(const std::vector<std::string>& arguments, Streams& streams) {
    auto options = TRY(parsed(arguments, "aldh", "OrSeNs", "pxeboot"));
    if (options.has('h') || options.words.contains("help")) {
        streams.out << kPxebootHelp;
        return {};
    }
    RedHatTree tree(chosen(options, "tftp-dir", "PXE_TFTP_DIR", kTftpDirectory));
    if (options.has('l')) {
        for (const auto& entry : TRY(tree.nodes()))
            streams.out << fmt::format("{:<15} {} snapshot {}\n", entry.node.address.text(),
                                       printable(entry.node.system), printable(entry.node.snapshot));
        return {};
    }
    // "-s  10.8.136.1": an empty value that the shell has dropped
    if (options.names.empty() && Ipv4::parse(options.value('s')))
        options.names.push_back(std::exchange(options.values['s'], ""));
    if (options.names.size() != 1) return bad_usage("the address or name of one node is needed", "see: pxeboot --help");
    const auto address = TRY(address_of(options.names[0]));
    if (options.has('d')) return tree.remove_node(address);
    if (!options.has('a')) return bad_usage("one of -a, -l and -d is needed", "see: pxeboot --help");
    if (options.value('O').empty()) return bad_usage("-O OPERATING-SYSTEM is missing", "see: pxeboot --help");
    RedHatNode node;
    node.address = address;
    node.system = options.value('O');
    node.ramdisk_size = options.value('r');
    node.snapshot = options.value('S').empty() ? options.names[0] : options.value('S');
    node.interface = options.value('e');
    node.nis_domain = options.value('N');
    node.serial = options.value('s');
    if (!node.serial.empty() && node.serial.find('=') == std::string::npos) node.serial = "console=" + node.serial;
    for (const auto& warning : TRY(tree.add_node(node))) streams.err << "pxeboot: warning: " << warning << '\n';
    return {};
}

}  // namespace diskless::server
