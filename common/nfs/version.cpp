#include "common/nfs/version.hpp"

namespace diskless {

std::string_view text(NfsVersion version) {
    switch (version) {
        case NfsVersion::automatic:
            return "";
        case NfsVersion::v3:
            return "3";
        case NfsVersion::v4_0:
            return "4.0";
        case NfsVersion::v4_1:
            return "4.1";
        case NfsVersion::v4_2:
            return "4.2";
        case NfsVersion::v4:
            return "4";
    }
    return "";
}

std::vector<NfsVersion> parse_nfs_version(std::string_view word) {
    if (word.empty() || word == "auto") return {NfsVersion::automatic};
    if (word.starts_with('v')) word.remove_prefix(1);
    if (word == "4") return {NfsVersion::v4_2, NfsVersion::v4_1, NfsVersion::v4_0};
    for (const auto version : {NfsVersion::v3, NfsVersion::v4_0, NfsVersion::v4_1, NfsVersion::v4_2})
        if (word == text(version)) return {version};
    return {};
}

std::vector<NfsVersion> default_nfs_order() {
    return {NfsVersion::v3, NfsVersion::v4_2, NfsVersion::v4_1, NfsVersion::v4_0};
}

}  // namespace diskless
