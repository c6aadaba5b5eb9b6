// /etc/exports of the kernel's NFS server (exports(5)).
#include <fmt/core.h>

#include "common/base/text.hpp"
#include "server-helper/render/nfs_exports.hpp"
#include "server-helper/render/quote.hpp"

namespace diskless::server {

Result<> render_exports(const Site& site, Rendering& out) {
    auto text = fmt::format("# {}\n", kMadeBy);
    for (const auto& entry : TRY(wanted_exports(site))) {
        // A root is never written: async costs nothing there and saves commits of access times.
        std::string options = entry.writable ? "rw,sync" : "ro,async";
        options += entry.keeps_root ? ",no_root_squash" : ",root_squash";
        options += ",no_subtree_check";
        if (!entry.file_system_id.empty()) options += ",fsid=" + entry.file_system_id;
        text += exports_path(entry.path);
        for (const auto& client : entry.clients) text += fmt::format(" {}({})", client, options);
        text += '\n';
    }
    out.push_back({"etc/exports", std::move(text), {}, {}});
    return {};
}

}  // namespace diskless::server
