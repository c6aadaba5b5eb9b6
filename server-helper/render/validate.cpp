#include "server-helper/render/validate.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/os/files_linux.hpp"
#include "common/os/tool.hpp"

namespace diskless::server {

namespace {
constexpr std::chrono::seconds kLongest{120};  // Kea takes seconds for 10,000 reservations

const std::string* content_of(const Rendering& rendering, std::string_view path) {
    for (const auto& file : rendering)
        if (file.path == path) return &file.content;
    return nullptr;
}

/// dnsmasq --test does not read the hosts file: its lines take the place of its name.
std::string dnsmasq_in_one(const std::string& configuration, const std::string& hosts) {
    std::string text;
    for (const auto line : lines(configuration))
        if (!line.starts_with("dhcp-hostsfile=")) text.append(line) += '\n';
    for (const auto line : lines(hosts))
        if (!line.empty() && line.front() != '#') text.append("dhcp-host=").append(line) += '\n';
    return text;
}

std::string whole_dnsmasq(const Rendering& rendering, const std::string& name) {
    const auto* configuration = content_of(rendering, "etc/" + name + ".conf");
    const auto* hosts = content_of(rendering, "etc/" + name + ".hosts");
    return configuration && hosts ? dnsmasq_in_one(*configuration, *hosts) : "";
}

std::string all_menus(const Rendering& rendering) {
    std::string text, last_node;
    for (const auto& file : rendering) {
        if (!file.path.starts_with("tftp/grub/grub.cfg")) continue;
        if (!file.node.empty() && file.node == last_node) continue;
        text += file.content;  // by MAC and by address they are the same
        last_node = file.node;
    }
    return text;
}

std::string one_file(const Rendering& rendering, const std::string& path) {
    const auto* content = content_of(rendering, path);
    return content ? *content : "";
}

struct Check {
    const char* dialect;
    const char* tool;
    const char* package;
    std::string (*text)(const Rendering&);
    std::vector<std::string> options;  // before the file
};

const std::vector<Check>& checks() {
    static const std::vector<Check> table = {
        {"dnsmasq",
         "dnsmasq",
         "dnsmasq-base",
         [](const Rendering& all) { return whole_dnsmasq(all, "dnsmasq"); },
         {"--test", "--conf-file"}},
        {"dnsmasq-proxy",
         "dnsmasq",
         "dnsmasq-base",
         [](const Rendering& all) { return whole_dnsmasq(all, "dnsmasq-proxy"); },
         {"--test", "--conf-file"}},
        {"isc",
         "dhcpd",
         "isc-dhcp-server",
         [](const Rendering& all) { return one_file(all, "etc/dhcpd.conf"); },
         {"-4", "-t", "-cf"}},
        {"kea",
         "kea-dhcp4",
         "kea-dhcp4-server",
         [](const Rendering& all) { return one_file(all, "etc/kea-dhcp4.conf"); },
         {"-t"}},
        {"grub", "grub-script-check", "grub-common", all_menus, {}},
    };
    return table;
}

Result<> run_check(const Check& check, const std::string& tool, const std::string& file) {
    std::vector<std::string> command{tool};
    command.insert(command.end(), check.options.begin(), check.options.end());
    if (command.back() == "--conf-file")
        command.back() += "=" + file;
    else
        command.push_back(file);
    const auto output = TRY(run_tool(command, kLongest));
    if (output.status == 0) return {};
    return fail(fmt::format("{} refuses the rendered {} (exit status {}): {}", check.tool, check.dialect, output.status,
                            first_complaint(output.text)),
                "nothing was installed; correct the values that it names, or leave the dialect out with --only");
}
}  // namespace

std::string first_complaint(std::string_view text) {
    const auto complains = [](std::string_view line) {
        const auto small = lower(line);
        const auto number = small.find("line ");
        return small.find("error") != small.npos ||
               (number != small.npos && number + 5 < small.size() && small[number + 5] >= '0' &&
                small[number + 5] <= '9');
    };
    std::vector<std::string_view> said;
    for (const auto line : lines(text))
        if (!trim(line).empty()) said.push_back(trim(line));
    auto first = std::ranges::find_if(said, complains);
    if (first == said.end()) first = said.begin();
    std::vector<std::string> shown;
    for (; first != said.end() && shown.size() < 4; ++first) shown.push_back(printable(*first));
    return join(shown, " / ");
}

Result<std::vector<Verdict>> validate(const Rendering& rendering, const std::string& scratch) {
    LinuxFiles files;
    std::vector<Verdict> verdicts;
    for (const auto& check : checks()) {
        const auto text = check.text(rendering);
        if (text.empty()) continue;
        const auto tool = find_tool(check.tool);
        verdicts.push_back({check.dialect, check.tool, tool.has_value(),
                            tool ? "" : fmt::format("apt-get install {}", check.package)});
        if (!tool) continue;
        const auto file = join_path(scratch, std::string(check.dialect) + ".conf");
        TRY_TO("check the rendered files", files.replace(file, text));
        TRY(run_check(check, *tool, file));
    }
    return verdicts;
}

}  // namespace diskless::server
