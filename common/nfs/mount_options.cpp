#include "common/nfs/mount_options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/text.hpp"

namespace diskless {

namespace {
/// What an option is about: of two options about the same thing the later one counts.
struct Alias {
    std::string_view name, family;
};
constexpr std::array kAliases{
    Alias{"soft", "hard"},
    Alias{"softerr", "hard"},
    Alias{"udp", "proto"},
    Alias{"tcp", "proto"},
    Alias{"rdma", "proto"},
    Alias{"local_lock", "lock"},
    Alias{"nfsvers", "vers"},
    Alias{"minorversion", "vers"},
    Alias{"v2", "vers"},
    Alias{"v3", "vers"},
    Alias{"v4", "vers"},
    Alias{"v4.0", "vers"},
    Alias{"v4.1", "vers"},
    Alias{"v4.2", "vers"},
    Alias{"mounthost", "mountaddr"},
    Alias{"softreval", "reval"},
    Alias{"nosoftreval", "reval"},
    Alias{"rw", "ro"},
    Alias{"relatime", "atime"},
    Alias{"strictatime", "atime"},
    Alias{"norelatime", "atime"},
    Alias{"nostrictatime", "atime"},
};
/// Switches that exist with and without "no".
constexpr std::array<std::string_view, 14> kSwitches{"ac",       "acl",  "alignwrite", "atime",     "cto",
                                                     "dev",      "exec", "fsc",        "intr",      "lock",
                                                     "rdirplus", "suid", "resvport",   "sharecache"};
constexpr std::array<std::string_view, 4> kAttributeTimes{"acregmin", "acregmax", "acdirmin", "acdirmax"};
/// Not for the kernel, or not the user's to say.
constexpr std::array<std::string_view, 12> kDropped{"ro",   "rw",     "addr",    "retry",  "bg",       "fg",
                                                    "auto", "noauto", "_netdev", "nofail", "defaults", "users"};

template <class Range, class Value>
bool among(const Range& range, const Value& value) {
    return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

std::string_view name_of(std::string_view option) { return option.substr(0, option.find('=')); }
std::string_view value_of(std::string_view option) {
    const auto equals = option.find('=');
    return equals == std::string_view::npos ? std::string_view{} : option.substr(equals + 1);
}

std::string_view family_of(std::string_view option) {
    const auto name = name_of(option);
    for (const auto& alias : kAliases)
        if (alias.name == name) return alias.family;
    if (name.starts_with("no") && among(kSwitches, name.substr(2))) return name.substr(2);
    return name;
}

/// Does `later` make `earlier` meaningless?
bool replaces(std::string_view later, std::string_view earlier) {
    const auto now = family_of(later), before = family_of(earlier);
    if (now == before) return true;
    // actimeo sets all four times, noac switches them off; a single time after actimeo refines it.
    const bool about_all = now == "actimeo" || later == "noac";
    return (about_all && (among(kAttributeTimes, before) || before == "actimeo" || before == "ac")) ||
           (among(kAttributeTimes, now) && earlier == "noac");
}

class OptionList {
  public:
    void set(std::string option) {
        std::erase_if(options_, [&](const std::string& earlier) { return replaces(option, earlier); });
        options_.push_back(std::move(option));
    }
    void set(std::string_view name, std::string_view value) { set(std::string(name) + '=' + std::string(value)); }
    /// The option of a family, empty when there is none.
    std::string_view find(std::string_view family) const {
        for (const auto& option : options_)
            if (family_of(option) == family) return option;
        return {};
    }
    std::string text() const { return join(options_, ","); }

  private:
    std::vector<std::string> options_;
};

/// What the user said, sorted out.
struct UserOptions {
    std::vector<std::string> options;
    std::vector<NfsVersion> versions;  // empty: none named
    std::vector<std::string> ignored;
};

UserOptions read_user_options(std::string_view text) {
    UserOptions user;
    std::string_view version, minor;
    for (const auto word : split(text, ',')) {
        const auto option = trim(word);
        if (option.empty() || among(kDropped, name_of(option))) continue;
        if (printable(option) != option || option.find_first_of(" \"\\") != std::string_view::npos)
            user.ignored.push_back("NFS option \"" + printable(option) + "\" is not plain text");
        else if (name_of(option) == "minorversion")
            minor = value_of(option);
        else if (family_of(option) == "vers")
            version = option.find('=') == std::string_view::npos ? option : value_of(option);
        else
            user.options.emplace_back(option);
    }
    if (version.empty() && minor.empty()) return user;
    const auto wanted = minor.empty() ? std::string(version) : "4." + std::string(minor);
    user.versions = parse_nfs_version(wanted);
    if (user.versions.empty()) user.ignored.push_back("NFS version \"" + wanted + "\" does not exist here");
    if (among(user.versions, NfsVersion::automatic)) user.versions.clear();
    return user;
}

std::vector<NfsVersion> versions_to_try(const NfsMountWish& wish, const UserOptions& user) {
    if (wish.version == NfsVersion::v4) return parse_nfs_version("4");
    if (wish.version != NfsVersion::automatic) return {wish.version};
    if (!user.versions.empty()) return user.versions;
    std::vector<NfsVersion> order;
    for (const auto version : wish.order)
        if (version != NfsVersion::automatic && !among(order, version)) order.push_back(version);
    return order.empty() ? default_nfs_order() : order;
}

void set_defaults(OptionList& list, const NfsMountWish& wish, NfsVersion version) {
    list.set(wish.read_only ? "ro" : "rw");
    list.set("vers", text(version));
    list.set("proto", "tcp");
    // A root that returns errors while the server restarts kills what runs from it: wait for ever (timeo is in tenths
    // of a second, retrans counts until "server not responding" is logged).
    list.set("hard");
    list.set("timeo", "600");
    list.set("retrans", "2");
    if (version == NfsVersion::v3) list.set("nolock");  // locks over v3 need statd, which no node runs this early
    if (wish.use == NfsUse::shared_root && wish.read_only) {
        // A generation does not change while nodes use it, so a look at the server for each open buys nothing.
        list.set("nocto");
        list.set("acregmin", "60");
        list.set("acregmax", "600");
        list.set("acdirmin", "60");
        list.set("acdirmax", "600");
    }
}

OptionList list_of(std::string_view options) {
    OptionList list;
    for (const auto option : split(options, ',')) list.set(std::string(trim(option)));
    return list;
}

/// NFS 3 by TCP without a word on ports.
bool lets_kernel_ask(const OptionList& list) {
    return list.find("vers") == "vers=3" && list.find("proto") == "proto=tcp" &&
           list.find("mountproto") == "mountproto=tcp" && list.find("port").empty() && list.find("mountport").empty();
}

/// What mount.nfs would find out; the user's own values stay.
void set_addresses(OptionList& list, const NfsMountWish& wish, NfsVersion version) {
    if (version == NfsVersion::v3) {
        if (list.find("mountaddr").empty()) list.set("mountaddr", wish.server.text());
        const bool udp = list.find("proto") == "udp" || list.find("proto") == "proto=udp";
        if (list.find("mountproto").empty()) list.set("mountproto", udp ? "udp" : "tcp");
        if (lets_kernel_ask(list) && list.find("mountaddr") == "mountaddr=" + wish.server.text()) {
            if (wish.ports.mount != 0) list.set("mountport", std::to_string(wish.ports.mount));
            if (wish.ports.nfs != 0) list.set("port", std::to_string(wish.ports.nfs));
        }
    } else if (wish.client.is_set() && list.find("clientaddr").empty()) {
        list.set("clientaddr", wish.client.text());
    }
    list.set("addr", wish.server.text());
}

/// Options of the other protocol generation make the kernel refuse the mount.
bool fits(std::string_view option, NfsVersion version) {
    const auto name = name_of(option);
    if (version == NfsVersion::v3) return name != "clientaddr" && name != "migration" && name != "nomigration";
    return !name.starts_with("mount") && family_of(option) != "lock" && family_of(option) != "acl";
}
}  // namespace

NfsListener nfs_listener(std::string_view options) {
    const auto list = list_of(options);
    const auto protocol = list.find("proto");
    const auto name = protocol.starts_with("proto=") ? value_of(protocol) : protocol;
    return {.port = parse_number<std::uint16_t>(value_of(list.find("port"))).value_or(0),
            .tcp = name.empty() || name == "tcp" || name == "tcp6"};
}

bool wants_ports(const NfsAttempt& attempt) { return lets_kernel_ask(list_of(attempt.options)); }

NfsLadder nfs_ladder(const NfsMountWish& wish) {
    NfsLadder ladder;
    auto user = read_user_options(wish.options);
    for (const auto version : versions_to_try(wish, user)) {
        OptionList list;
        set_defaults(list, wish, version);
        for (const auto& option : user.options)
            if (fits(option, version)) list.set(option);
        set_addresses(list, wish, version);
        ladder.attempts.push_back({version, "NFS " + std::string(text(version)), list.text()});
    }
    ladder.ignored = std::move(user.ignored);
    return ladder;
}

}  // namespace diskless
