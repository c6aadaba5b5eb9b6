// NFS-Ganesha 4 (ganesha-config(8), ganesha-export-config(8)).
#include <fmt/core.h>

#include <set>

#include "common/base/text.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

namespace {
/// File handles carry the export's number, so it must stay when others come and go: a hash of the path; the next free
/// one when two meet. 0 is the pseudo file system.
class ExportNumbers {
  public:
    Result<unsigned> take(std::string_view path) {
        if (taken_.size() >= kLast) return fail(fmt::format("NFS-Ganesha takes {} exports at most", kLast));
        auto number =
            1 + static_cast<unsigned>(parse_number<std::uint64_t>(path_uuid(path).substr(24), 16).value_or(0) % kLast);
        while (!taken_.insert(number).second) number = number % kLast + 1;
        return number;
    }

  private:
    static constexpr unsigned kLast = 65535;
    std::set<unsigned> taken_;
};
}  // namespace

Result<> render_ganesha(const Site& site, Rendering& out) {
    // With locks of version 3 (that need rpc.statd; nodes mount with nolock) nothing could be removed, renamed or
    // truncated for 90 s after each start of the server; without, only as long as NFSv4 clients reclaim theirs.
    auto text = fmt::format(
        "# {}\n"
        "NFS_CORE_PARAM {{\n"
        "    Protocols = 3, 4;\n"
        "    Bind_addr = {};\n"
        "    MNT_Port = 20048;\n"
        "    Enable_NLM = false;\n"
        "    Enable_RQUOTA = false;\n"
        "}}\n"
        "NFSV4 {{\n"
        "    RecoveryBackend = fs;\n"
        "    # As the kernel's server does for sec=sys: nodes have nothing that maps names to numbers.\n"
        "    Only_Numeric_Owners = true;\n"
        "}}\n",
        kMadeBy, site.cluster.server.text());
    ExportNumbers numbers;
    for (const auto& entry : TRY(wanted_exports(site))) {
        const auto path = TRY(quoted_without_escapes("the exported path", entry.path));
        text += fmt::format(
            "EXPORT {{\n"
            "    Export_Id = {};\n"
            "    Path = {};\n"
            "    Pseudo = {};\n"
            "    Access_Type = None;\n"
            "    SecType = sys;\n"
            "    FSAL {{ Name = VFS; }}\n"
            "    CLIENT {{ Clients = {}; Access_Type = {}; Squash = {}; }}\n"
            "}}\n",
            TRY(numbers.take(entry.path)), path, path, join(entry.clients, ", "), entry.writable ? "RW" : "RO",
            entry.keeps_root ? "No_Root_Squash" : "Root_Squash");
    }
    out.push_back({"etc/ganesha.conf", std::move(text), {}, {}});
    return {};
}

}  // namespace diskless::server
