#include "server-helper/check/exports_policy.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "common/base/text.hpp"
#include "server-helper/check/exports_file.hpp"

namespace diskless::server {

namespace {
/// exports(5) of nfs-utils 2.6; what takes a value is named with its "=".
bool is_option(std::string_view option) {
    static const std::set<std::string_view> kWords = {"ro",
                                                      "rw",
                                                      "sync",
                                                      "async",
                                                      "root_squash",
                                                      "no_root_squash",
                                                      "all_squash",
                                                      "no_all_squash",
                                                      "secure",
                                                      "insecure",
                                                      "wdelay",
                                                      "no_wdelay",
                                                      "hide",
                                                      "nohide",
                                                      "crossmnt",
                                                      "subtree_check",
                                                      "no_subtree_check",
                                                      "insecure_locks",
                                                      "secure_locks",
                                                      "auth_nlm",
                                                      "no_auth_nlm",
                                                      "acl",
                                                      "no_acl",
                                                      "mp",
                                                      "mountpoint",
                                                      "pnfs",
                                                      "no_pnfs",
                                                      "security_label"};
    static const std::set<std::string_view> kValued = {"mp",      "mountpoint", "fsid", "refer",   "replicas",
                                                       "anonuid", "anongid",    "sec",  "xprtsec", "locks"};
    if (kWords.contains(option)) return true;
    const auto equals = option.find('=');
    return equals != std::string_view::npos && kValued.contains(option.substr(0, equals));
}

/// Does the path speak of something that a node boots from or keeps its files in?
bool looks_diskless(std::string_view path) {
    const auto small = lower(path);
    for (const auto part : split(small, '/'))
        if (part == "nfsroot" || part == "diskless" || part == "snapshot" || part == "snapshots" ||
            part == "tftpboot" || part == "root" || part == "images")
            return true;
    return false;
}

bool is_many(ClientKind kind) { return kind != ClientKind::host; }

std::string many_words(ClientKind kind, const std::string& who) {
    return kind == ClientKind::everybody ? "every host that reaches the server" : "all hosts of " + printable(who);
}

class Judge {
  public:
    Judge(std::string_view file, Findings& findings) : file_(file), findings_(findings) {}

    void line(const ExportLine& entry) {
        for (const auto& client : entry.clients) {
            unknown_options(entry, client);
            reach(entry, client);
            writing(entry, client);
            root(entry, client);
            if (!seen_.insert(entry.path + "\n" + client.who).second)
                find(entry, "exports-double",
                     fmt::format("{} is exported twice to {}", name(entry), printable(client.who)),
                     "keep one of the two: the later one counts");
        }
    }

  private:
    void find(const ExportLine& entry, const char* rule, std::string what, std::string remedy) {
        findings_.push_back({rule, fmt::format("{}:{}: {}", file_, entry.line, what), std::move(remedy)});
    }
    static std::string name(const ExportLine& entry) { return printable(entry.path); }

    void unknown_options(const ExportLine& entry, const ExportClient& client) {
        for (const auto& option : client.options)
            if (!is_option(option))
                find(entry, "exports-option",
                     fmt::format("{}: \"{}\" is no option of exports(5)", name(entry), printable(option)),
                     "correct its spelling: exportfs refuses the line");
    }

    void reach(const ExportLine& entry, const ExportClient& client) {
        const auto kind = kind_of_client(client.who);
        if (kind == ClientKind::address_pattern)
            find(entry, "exports-wildcard",
                 fmt::format("{}: {} is a pattern in an address, which matches names only", name(entry),
                             printable(client.who)),
                 "write the network: 192.168.1.0/24");
        if (kind == ClientKind::everybody)
            find(entry, "exports-everybody", name(entry) + " is exported to every host that reaches the server",
                 client.writable() ? "name the address of the one node whose files they are"
                                   : "name the nodes' network: 192.168.1.0/24");
        if (kind == ClientKind::name_pattern && !client.squashes_root())
            find(entry, "exports-names",
                 fmt::format("{}: who controls the names of addresses is root in it ({})", name(entry),
                             printable(client.who)),
                 "name addresses or networks");
    }

    void writing(const ExportLine& entry, const ExportClient& client) {
        if (!client.writable()) return;
        const auto kind = kind_of_client(client.who);
        if (is_many(kind) && !client.squashes_root())
            find(entry, "shared-writable",
                 fmt::format("{} can be written as root by {}: each node can change the files of all", name(entry),
                             many_words(kind, client.who)),
                 "export a shared root ro, and each node's own directory rw to that node's address only");
        if (client.says("async", "sync", false))
            find(entry, "exports-async",
                 name(entry) + " is rw and async: what nodes believe written is lost when the server crashes",
                 "write sync in place of async");
    }

    void root(const ExportLine& entry, const ExportClient& client) {
        if (client.squashes_root() && looks_diskless(entry.path))
            find(entry, "root-squashed",
                 fmt::format("root of the node is nobody in {} ({})", name(entry), printable(client.who)),
                 "write no_root_squash: a root file system and a snapshot have files of root");
        if (!client.squashes_root() && client.says("insecure", "secure", false))
            find(entry, "exports-insecure",
                 fmt::format("{}: with insecure and no_root_squash any user of {} is root in it", name(entry),
                             printable(client.who)),
                 "take insecure out");
    }

    std::string_view file_;
    Findings& findings_;
    std::set<std::string> seen_;
};

bool is_within(std::string_view path, std::string_view directory) {
    if (directory == "/") return true;
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}
}  // namespace

Findings check_exports(std::string_view text, std::string_view file) {
    Findings findings;
    const auto entries = parse_exports(text, file, findings);
    Judge judge(file, findings);
    for (const auto& entry : entries) judge.line(entry);
    return findings;
}

Findings check_exports_of(const std::vector<ExportsText>& texts, const std::vector<Export>& wanted) {
    struct Line {
        std::string_view file;
        ExportLine entry;
    };
    Findings findings, ignored;
    std::vector<Line> lines;
    for (const auto& [file, text] : texts)
        for (auto& entry : parse_exports(text, file, ignored)) lines.push_back({file, std::move(entry)});
    std::unordered_map<std::string_view, const Line*> line_of;
    std::unordered_set<std::string_view> wanted_paths;
    for (const auto& want : wanted) wanted_paths.insert(want.path);
    std::vector<const Line*> others;  // exports that are none of the cluster's
    for (const auto& line : lines)
        if (wanted_paths.contains(line.entry.path))
            line_of.emplace(line.entry.path, &line);
        else
            others.push_back(&line);

    for (const auto& want : wanted) {
        const auto found = line_of.find(want.path);
        if (found == line_of.end()) {
            // Files that have nothing of the cluster are no place where something of it lacks.
            if (!line_of.empty())
                findings.push_back({"export-missing",
                                    fmt::format("{}: {} is not exported", texts.front().file, printable(want.path)),
                                    "diskless-server boot apply, then exportfs -ra"});
            continue;
        }
        const auto& [file, entry] = *found->second;
        const auto find = [&, file = file, &entry = entry](const char* rule, const std::string& what) {
            findings.push_back({rule, fmt::format("{}:{}: {} {}", file, entry.line, printable(entry.path), what),
                                "diskless-server boot apply writes it right, then exportfs -ra"});
        };
        for (const auto& client : entry.clients) {
            const bool own = std::binary_search(want.clients.begin(), want.clients.end(), client.who);
            if (client.writable() && !want.writable) find("root-writable", "is a shared root and exported rw");
            if (want.writable && want.keeps_root && !own)
                find("snapshot-open", fmt::format("is one node's own and exported to {}", printable(client.who)));
            if (own && want.keeps_root && client.squashes_root()) find("root-squashed", "squashes root");
            if (own && want.writable && !client.writable()) find("export-read-only", "is a node's own and exported ro");
        }
    }
    for (const auto* other : others)
        for (const auto& client : other->entry.clients) {
            const auto& entry = other->entry;
            const auto inside = std::find_if(wanted.begin(), wanted.end(), [&](const Export& want) {
                return want.writable && want.keeps_root && is_within(want.path, entry.path) &&
                       !(want.clients.size() == 1 && want.clients.front() == client.who);
            });
            if (inside == wanted.end()) continue;
            findings.push_back({"snapshot-open",
                                fmt::format("{}:{}: {} opens the snapshot {} to {}", other->file, entry.line,
                                            printable(entry.path), printable(inside->path), printable(client.who)),
                                "export no directory above the snapshots"});
        }
    return findings;
}

}  // namespace diskless::server
