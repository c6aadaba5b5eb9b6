// systemd units (systemd.service(5)) that start the chosen servers on the rendered files.
#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "server-helper/render/http_url.hpp"
#include "server-helper/render/quote.hpp"
#include "server-helper/render/rendered.hpp"

namespace diskless::server {

namespace {
std::string unit(std::string_view description, std::string_view needs, const std::string& service) {
    return fmt::format(
        "# {0}\n"
        "[Unit]\n"
        "Description={2}\n"
        "Wants=network-online.target{1}\n"
        "After=network-online.target{1}\n"
        "\n"
        "[Service]\n"
        "{3}"
        "Restart=on-failure\n"
        "RestartSec=2\n"
        "\n"
        "[Install]\n"
        "WantedBy=multi-user.target\n",
        kMadeBy, needs, description, service);
}

std::string service(const std::vector<std::string>& command, bool reloads) {
    std::vector<std::string> words;
    for (const auto& word : command) words.push_back(systemd_word(word));
    auto text = "ExecStart=" + join(words, " ") + "\n";
    if (reloads) text += "ExecReload=/bin/kill -HUP $MAINPID\n";
    return text;
}

/// Port of http://HOST[:PORT]….
std::string port_of(const std::string& url) {
    const auto host = url.substr(7, url.find('/', 7) - 7);
    const auto colon = host.rfind(':');
    return colon == std::string::npos ? "80" : host.substr(colon + 1);
}
}  // namespace

Result<> render_systemd(const Site& site, Rendering& out) {
    const auto& cluster = site.cluster;
    TRY(check_plain("the base directory", cluster.base));
    const auto has = [](const std::vector<std::string>& list, std::string_view name) {
        return std::count(list.begin(), list.end(), name) > 0;
    };
    const auto add = [&](const std::string& name, std::string text) {
        out.push_back({"etc/systemd/diskless-" + name + ".service", std::move(text), {}, {}});
    };
    const auto file = [&](const char* name) { return boot_path(cluster, name); };
    const auto& boot = cluster.boot;
    for (const std::string name : {"dnsmasq", "dnsmasq-proxy"})  // SIGHUP does not make it read its configuration
        if (has(boot.dhcp, name))
            add(name, unit("DHCP and TFTP for diskless nodes", "",
                           service({"/usr/sbin/dnsmasq", "--keep-in-foreground", "--log-facility=-",
                                    "--conf-file=" + file("etc/") + name + ".conf"},
                                   false)));
    if (has(boot.dhcp, "isc")) {
        std::vector<std::string> command{"/usr/sbin/dhcpd", "-4", "-f", "-d", "-cf", file("etc/dhcpd.conf")};
        if (!boot.interface.empty()) command.push_back(boot.interface);
        add("dhcpd", unit("DHCP for diskless nodes", "", service(command, false)));
    }
    if (has(boot.dhcp, "kea"))
        add("kea", unit("DHCP for diskless nodes", "",
                        service({"/usr/sbin/kea-dhcp4", "-c", file("etc/kea-dhcp4.conf")}, true)));
    if (has(boot.dhcp, "bootptab"))  // below -d3 it goes into the background
        add("bootpd", unit("BOOTP for diskless nodes", "",
                           service({"/usr/sbin/bootpd", "-s", "-d3", "-c", file("tftp"), file("etc/bootptab")}, true)));
    if (has(boot.dhcp, "ethers")) {
        // rarpd knows these two paths only; the service alone sees ours there.
        auto text = service({"/usr/sbin/rarpd", "-de", boot.interface.empty() ? "-a" : boot.interface}, false);
        for (const auto* name : {"ethers", "hosts"})
            text += fmt::format("BindReadOnlyPaths={}:/etc/{}\n", systemd_word(file("etc/") + name), name);
        add("rarpd", unit("RARP for diskless nodes", "", text));
    }
    if (!has(boot.dhcp, "dnsmasq") && !has(boot.dhcp, "dnsmasq-proxy"))
        add("tftp", unit("TFTP for diskless nodes", "",
                         service({"/usr/sbin/dnsmasq", "--keep-in-foreground", "--log-facility=-",
                                  "--conf-file=/dev/null", "--port=0", "--listen-address=" + cluster.server.text(),
                                  "--bind-dynamic", "--enable-tftp", "--tftp-root=" + file("tftp")},
                                 false)));
    if (has(boot.nfs, "ganesha"))
        add("ganesha",
            unit("NFS for diskless nodes", " rpcbind.service",
                 service({"/usr/bin/ganesha.nfsd", "-F", "-f", file("etc/ganesha.conf"), "-L", "STDOUT"}, true)));
    if (boot.http_url.starts_with("http://")) {  // busybox knows no TLS
        const auto address = cluster.server.text() + ":" + port_of(TRY(http_base(cluster)));
        add("http", unit("HTTP for diskless nodes", "",
                         service({"/bin/busybox", "httpd", "-f", "-p", address, "-h", file("http")}, false)));
    }
    return {};
}

}  // namespace diskless::server
