// NFS options of a root: what is ours is taken out, what the kernel cannot do without helpers is left out with a
// warning, the rest is kept as written.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "init/params.hpp"

namespace diskless {

namespace {

struct VersionName {
    std::string_view text;
    NfsVersion version;
};
constexpr std::array<VersionName, 7> kVersions{{
    {"3", NfsVersion::v3},
    {"3.0", NfsVersion::v3},
    {"4", NfsVersion::v4},
    {"4.0", NfsVersion::v4_0},
    {"4.1", NfsVersion::v4_1},
    {"4.2", NfsVersion::v4_2},
    {"auto", NfsVersion::automatic},
}};

// Words of fstab(5) and mount.nfs(8): no NFS option of the kernel, which would refuse the mount for them.
constexpr std::array<std::string_view, 14> kHarmlessWords{{
    "defaults",
    "auto",
    "noauto",
    "_netdev",
    "nofail",
    "user",
    "nouser",
    "users",
    "owner",
    "group",
    "fg",
    "intr",
    "nointr",
    "async",
}};

std::string_view after(std::string_view text, std::string_view prefix) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
}

class OptionReader {
  public:
    OptionReader(Reading& reading, const Word& word, NfsSource& source)
        : reading_(reading), word_(word), source_(source) {}

    void read(std::string_view text) {
        if (text.starts_with("-o")) text = trim(text.substr(2));  // nfsopts="-o nolock", as for nfsmount
        for (const auto part : split(text, ',')) read_one(unquoted(trim(part)));
    }

  private:
    void read_one(std::string_view option) {
        const auto equals = option.find('=');
        const auto name = option.substr(0, equals);
        if (option.empty() || option.starts_with("x-") ||
            std::find(kHarmlessWords.begin(), kHarmlessWords.end(), option) != kHarmlessWords.end())
            return;
        if (option == "ro" || option == "rw") {
            reading_.root_mode.offer(option == "rw" ? RootMode::writable : RootMode::read_only, reading_.rank());
        } else if (name == "vers" || name == "nfsvers") {
            read_version(after(option.substr(name.size()), "="), option);
        } else if (option.size() >= 2 && option[0] == 'v' && option[1] >= '0' && option[1] <= '9') {
            read_version(option.substr(1), option);
        } else if (name == "minorversion") {
            read_version(fmt::format("4.{}", printable(after(option, "minorversion="))), option);
        } else if (name == "bg" || name == "retry") {
            warn(option, "is left out: the root is waited for, and tried again for ever");
        } else if (name == "addr") {
            warn(option, "is left out: the server's address comes from the server list");
        } else {
            if (option == "soft" || option == "softerr")
                warn(option, "is kept, but programs get I/O errors as soon as the server is slow", "use hard");
            if (option.starts_with("sec=krb5") || option == "xprtsec=tls" || option == "xprtsec=mtls")
                warn(option, "is kept, but there is no helper for it on the node: the mount will fail",
                     "export with sec=sys for these nodes");
            if (!source_.options.empty()) source_.options += ',';
            source_.options += option;
        }
    }

    void read_version(std::string_view text, std::string_view option) {
        for (const auto& candidate : kVersions) {
            if (candidate.text != text) continue;
            source_.version = candidate.version;
            return;
        }
        warn(option, "is no NFS version that can be used: the newest that the server has is taken",
             "values are 3, 4, 4.0, 4.1, 4.2");
    }

    void warn(std::string_view option, std::string_view what, std::string remedy = {}) {
        reading_.warn(word_, fmt::format("the option {} {}", printable(option), what), std::move(remedy));
    }

    Reading& reading_;
    const Word& word_;
    NfsSource& source_;
};

}  // namespace

void add_nfs_options(Reading& reading, const Word& word, std::string_view text, NfsSource& source) {
    OptionReader(reading, word, source).read(text);
}

}  // namespace diskless
