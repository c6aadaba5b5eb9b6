// Where the root and the snapshot are: root=, nfsroot=, NFSROOT=, diskless.snapshot=.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "init/params.hpp"

namespace diskless {

namespace {

constexpr std::size_t kMaxServers = 16;
constexpr std::string_view kKernelDefaultPath = "/tftpboot/%s";  // nfsroot.rst, when nobody names a path

bool is_ipv6(std::string_view text) {
    if (!text.empty() && text.front() == '[') return true;
    return std::count(text.begin(), text.end(), ':') >= 2 &&
           text.find_first_not_of("0123456789abcdefABCDEF:.%") == std::string_view::npos;
}

void add_server(NfsSource& source, Ipv4 server) {
    const auto known = std::find(source.servers.begin(), source.servers.end(), server) != source.servers.end();
    if (!known && source.servers.size() < kMaxServers) source.servers.push_back(server);
}

void read_servers(Reading& reading, const Word& word, std::string_view list, NfsSource& source) {
    for (const auto part : split(list, ',')) {
        const auto text = unquoted(trim(part));
        if (text.empty()) continue;
        if (const auto server = Ipv4::parse(text); server && server->is_set())
            add_server(source, *server);
        else if (server)
            continue;  // 0.0.0.0: "not given"
        else if (is_ipv6(text))
            reading.warn(word, fmt::format("IPv6 is not supported yet: server {} is left out", printable(text)),
                         "give the server's IPv4 address");
        else
            reading.warn(word,
                         fmt::format("\"{}\" is a name, and names cannot be resolved before the network is up: this "
                                     "server is left out",
                                     printable(text)),
                         "give the server's address");
    }
}

void read_path(Reading& reading, const Word& word, std::string_view text, NfsSource& source) {
    text = unquoted(text);
    if (text.empty() || text == "auto") return;  // initramfs-tools: nfsroot=auto
    std::string path(text);
    if (path.front() != '/') path.insert(0, "/");
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (const auto first = path.find("%s");
        first != std::string::npos && path.find("%s", first + 2) != std::string::npos)
        reading.warn(word, "holds %s more than once: only the first stands for the node's name");
    source.path = std::move(path);
}

/// The place of the colon between servers and path: before the first "/", so that options may hold colons.
std::size_t server_end(std::string_view text) {
    if (text.starts_with("[")) {
        const auto bracket = text.find("]:");
        return bracket == std::string_view::npos ? bracket : bracket + 1;
    }
    const auto slash = text.find('/');
    if (slash != std::string_view::npos && slash > 0 && text[slash - 1] == ':') return slash - 1;
    return text.substr(0, slash).find(':');
}

/// The last colon that is not in the [brackets] of an IPv6 address.
std::size_t last_colon(std::string_view text) {
    bool bracket = false;
    for (std::size_t i = text.size(); i-- > 0;) {
        if (text[i] == ']') bracket = true;
        if (text[i] == '[') bracket = false;
        if (text[i] == ':' && !bracket) return i;
    }
    return std::string_view::npos;
}

// nfs://server[:port]/dir
void read_url(Reading& reading, const Word& word, std::string_view text, NfsSource& source) {
    const auto slash = text.find('/');
    auto server = text.substr(0, slash);
    if (const auto colon = server.find(':'); colon != std::string_view::npos && !is_ipv6(server)) {
        const auto port = parse_number<std::uint16_t>(server.substr(colon + 1));
        if (port)
            add_nfs_options(reading, word, fmt::format("port={}", *port), source);
        else
            reading.warn(word, fmt::format("\"{}\" is no port: ignored", printable(server.substr(colon + 1))));
        server = server.substr(0, colon);
    }
    read_servers(reading, word, server, source);
    if (slash != std::string_view::npos) read_nfs_source(reading, word, text.substr(slash), source);
}

/// The later parameter that names a root wins; nfsroot= again with the same path adds its servers.
void set_root(Reading& reading, const Word& word, NfsSource source, RootLayout layout) {
    auto& root = reading.config.root;
    const bool again = reading.root_word && root.source.path == source.path && root.layout == layout &&
                       reading.root_from_defaults == reading.from_defaults;
    if (again) {
        for (const auto server : source.servers) add_server(root.source, server);
        if (!source.options.empty()) root.source.options = std::move(source.options);
        if (source.version != NfsVersion::automatic) root.source.version = source.version;
        return;
    }
    if (reading.root_word && !root.source.path.empty() && !source.path.empty() && !reading.root_from_defaults)
        reading.warn(*reading.root_word, fmt::format("another root comes later: {} is used", printable(source.path)),
                     "name the root once");
    // NFSROOT= or nfsroot=auto after a parameter that names a path does not take it back.
    if (source.path.empty() && source.servers.empty() && !root.source.path.empty()) {
        source.path = root.source.path;
        source.servers = root.source.servers;
        if (source.options.empty()) source.options = root.source.options;
        if (source.version == NfsVersion::automatic) source.version = root.source.version;
    }
    root.source = std::move(source);
    root.layout = layout;
    reading.root_word = word;
    reading.root_from_defaults = reading.from_defaults;
}

void read_nfs_root(Reading& reading, const Word& word, std::string_view text, NfsVersion version) {
    NfsSource source;
    source.version = version;
    if (text.starts_with("//"))
        read_url(reading, word, text.substr(2), source);
    else
        read_nfs_source(reading, word, text, source);
    set_root(reading, word, std::move(source), RootLayout::plain);
}

/// Nothing is written to an image.
void set_live_image(Reading& reading, const Word& word, std::string file) {
    reading.root_image.offer({std::move(file), word}, reading.rank(0));
    reading.root_mode.offer(RootMode::overlay, reading.rank(2));
}

// dracut: root=live:nfs:server:/directory/file, root=live:nfs://server/directory/file.
void read_live_root(Reading& reading, const Word& word, std::string_view text) {
    const auto path = text.find('/', text.starts_with("//") ? 2 : 0);
    const auto slash = text.rfind('/');
    if (path == text.npos || slash + 1 == text.size())
        return reading.warn(word, "names no image: the root is taken from nfsroot= or the lease",
                            "write root=live:nfs:server:/directory/file.squashfs");
    set_live_image(reading, word, std::string(text.substr(slash + 1)));
    read_nfs_root(reading, word, text.substr(0, slash + 1), NfsVersion::automatic);
}

bool is_local(std::string_view value) {
    static constexpr std::array<std::string_view, 6> kLocal{
        {"/dev/", "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "0x"}};
    return std::any_of(kLocal.begin(), kLocal.end(), [&](std::string_view start) { return value.starts_with(start); });
}

}  // namespace

void read_nfs_source(Reading& reading, const Word& word, std::string_view text, NfsSource& source) {
    if (!text.empty() && text.front() != '/' && text.front() != ',') {
        const auto colon = server_end(text);
        if (colon == std::string_view::npos && Ipv4::parse(text)) return read_servers(reading, word, text, source);
        if (colon != std::string_view::npos) {
            auto head = text.substr(0, colon);
            // anaconda: root=nfs:<options>:<server>:/<dir>
            if (const auto last = last_colon(head); last != std::string_view::npos && !is_ipv6(head)) {
                add_nfs_options(reading, word, head.substr(0, last), source);
                head = head.substr(last + 1);
            }
            read_servers(reading, word, head, source);
            text = text.substr(colon + 1);
        }
    }
    const auto end = text.find_first_of(",:");  // dracut separates options by a colon too
    read_path(reading, word, text.substr(0, end), source);
    if (end != std::string_view::npos) add_nfs_options(reading, word, text.substr(end + 1), source);
}

void read_root(Reading& reading, const Word& word) {
    const auto value = word.argument();
    if (value == "/dev/nfs" || value == "/dev/nfsroot" || value == "/dev/nfs4" || value == "nfs" || value == "nfs4" ||
        value.starts_with("/dev/ram") || value.empty())
        return;  // where it is, nfsroot= or NFSROOT= or the lease says
    if (value == "dhcp" || value == "dhcp6") {
        reading.lease_word = word;
        if (value == "dhcp6")
            reading.warn(word, "IPv6 is not supported yet: root-path is asked by DHCP (IPv4)", "write root=dhcp");
        return;
    }
    if (value.starts_with("nfs:")) return read_nfs_root(reading, word, value.substr(4), NfsVersion::automatic);
    if (value.starts_with("nfs4:")) return read_nfs_root(reading, word, value.substr(5), NfsVersion::v4);
    if (value.starts_with("live:nfs:")) return read_live_root(reading, word, value.substr(9));
    if (value.starts_with("live:")) {
        reading.warn(word, "images are read by NFS only: the root is taken from nfsroot= or the lease",
                     "write root=live:nfs:server:/directory/file.squashfs");
        return;
    }
    if (!is_local(value) && (value.front() == '/' || value.find(":/") != std::string_view::npos) &&
        value.find("://") == std::string_view::npos)
        return read_nfs_root(reading, word, value, NfsVersion::automatic);
    reading.warn(word,
                 is_local(value) ? "a local disk is not the root of a diskless node: the root is taken from nfsroot= "
                                   "or the lease"
                                 : "is no root that can be used: the root is taken from nfsroot= or the lease",
                 "write root=/dev/nfs with nfsroot=, root=nfs:server:/directory, or root=dhcp");
}

void read_nfsroot(Reading& reading, const Word& word) {
    const auto value = word.argument();
    NfsSource source;
    // The kernel puts its own directory before what starts with no "/", "," or digit; it has no names of servers, which
    // end in a colon before the first "/".
    const auto first = value.empty() ? '/' : value.front();
    const bool relative = first != '/' && first != ',' && first != '[' && (first < '0' || first > '9') &&
                          value != "auto" && value.substr(0, value.find('/')).find(':') == std::string_view::npos;
    if (relative)
        read_nfs_source(reading, word, fmt::format("/tftpboot/{}", value), source);
    else
        read_nfs_source(reading, word, value, source);
    set_root(reading, word, std::move(source), RootLayout::plain);
}

void read_red_hat_nfsroot(Reading& reading, const Word& word) {
    NfsSource source;
    read_nfs_source(reading, word, word.argument(), source);
    set_root(reading, word, std::move(source), RootLayout::red_hat);
}

void read_image(Reading& reading, const Word& word) {
    const auto value = word.argument();
    if (value == "none" || value == "off" || value == "no")
        return reading.root_image.offer({{}, word}, reading.rank(1));
    std::string file(value.substr(std::min(value.find_first_not_of('/'), value.size())));
    const auto parts = split(file, '/');
    if (file.empty() || file.ends_with('/') || std::ranges::find(parts, "..") != parts.end())
        return reading.warn(word, "is no file below the root's directory: ignored",
                            "write diskless.image=live/filesystem.squashfs");
    reading.root_image.offer({std::move(file), word}, reading.rank(1));
}

// live-boot(7): the directory of nfsroot= holds the image.
void read_live_boot(Reading& reading, const Word& word) { set_live_image(reading, word, "live/filesystem.squashfs"); }

void read_snapshot(Reading& reading, const Word& word) {
    auto& snapshot = reading.config.snapshot;
    const auto value = word.argument();
    if (value == "none" || value == "off" || value == "no") {
        snapshot.wanted = false;
        return;
    }
    NfsSource source;
    const auto root_mode = reading.root_mode;
    read_nfs_source(reading, word, value, source);
    reading.root_mode = root_mode;  // ro and rw here would be of the snapshot, which is always writable
    if (source.path.empty() && source.servers.empty()) {
        reading.warn(word, "names no directory: the snapshot is looked for beside the root",
                     "write [server:]/directory, or none");
        return;
    }
    snapshot.wanted = true;
    snapshot.source = std::move(source);
}

std::string_view word(RootMode mode) {
    return mode == RootMode::writable ? "rw" : mode == RootMode::overlay ? "overlay" : "ro";
}

void settle_root(Reading& reading) {
    auto& root = reading.config.root;
    for (const auto& word : reading.more_options) {
        if (word.name == "rootflags") reading.config.rootflags = word.argument();
        add_nfs_options(reading, word, word.argument(), root.source);
    }
    const auto root_mode = reading.root_mode;  // ro, rw of the snapshot say nothing of the root
    for (const auto& word : reading.snapshot_options)
        add_nfs_options(reading, word, word.argument(), reading.config.snapshot.source);
    reading.root_mode = root_mode;
    root.mode = reading.root_mode.value.value_or(RootMode::read_only);
    if (reading.root_image.value) root.image = reading.root_image.value->file;
    if (!root.image.empty() && root.mode == RootMode::writable) {
        reading.warn(reading.root_image.value->word, "cannot be written: what the node writes stays in memory",
                     "write diskless.mode=overlay, or ro");
        root.mode = RootMode::overlay;
    }
    if (reading.lease_word && !root.source.path.empty())
        reading.warn(*reading.lease_word,
                     fmt::format("the root is named by {} too: that is used, not the lease's root-path",
                                 reading.root_word ? reading.root_word->name : "another parameter"),
                     "leave one of the two out");
    root.from_lease = root.source.path.empty();
    if (!root.from_lease) return;

    // Nobody gives a lease when every address is written down: the kernel's own default then.
    const auto& interfaces = reading.config.network.interfaces;
    const bool no_lease = !interfaces.empty() && std::all_of(interfaces.begin(), interfaces.end(), [](const auto& one) {
        return one.method == AddressMethod::fixed || one.method == AddressMethod::none;
    });
    if (!no_lease) return;
    const bool has_server =
        !root.source.servers.empty() ||
        std::any_of(interfaces.begin(), interfaces.end(), [](const auto& one) { return one.server.is_set(); });
    const Word word = reading.root_word ? *reading.root_word : Word{"nfsroot=", "nfsroot", ""};
    root.source.path = kKernelDefaultPath;
    root.from_lease = false;
    reading.warn(word,
                 has_server
                     ? fmt::format("names no directory, and fixed addresses bring no lease that could: {} is used",
                                   kKernelDefaultPath)
                     : "names no server and no directory, and fixed addresses bring no lease that could: the "
                       "root cannot be found",
                 "write nfsroot=server:/directory");
}

}  // namespace diskless
