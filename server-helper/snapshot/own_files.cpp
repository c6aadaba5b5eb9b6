#include "server-helper/snapshot/own_files.hpp"

#include <fmt/core.h>
#include <sys/random.h>

#include "common/base/text.hpp"
#include "common/state/tree_view.hpp"
#include "init/identity/ssh_host_key.hpp"

namespace diskless::server {

Result<std::string> secret_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    for (std::size_t have = 0; have < count;) {
        const auto got = ::getrandom(bytes.data() + have, count - have, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("getrandom");
        have += static_cast<std::size_t>(got);
    }
    return bytes;
}

Result<OwnFiles> make_identity(const SnapshotJob& job, bool ssh) {
    OwnFiles files;
    if (!job.hostname.empty()) files["etc/hostname"] = {job.hostname + "\n", 0644, 0, 0};
    std::string id;
    for (const char byte : TRY(secret_bytes(16))) id += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    files["etc/machine-id"] = {id + "\n", 0444, 0, 0};
    if (!ssh) return files;
    const auto key =
        make_ssh_host_key(TRY(secret_bytes(32)), "root@" + (job.hostname.empty() ? job.node : job.hostname));
    files["etc/ssh/ssh_host_ed25519_key"] = {key.private_file, 0600, 0, 0};
    files["etc/ssh/ssh_host_ed25519_key.pub"] = {key.public_file, 0644, 0, 0};
    return files;
}

OwnFiles overlay_files(const SnapshotJob& job, const std::map<std::string, Overlay>& overlays) {
    auto variables = job.variables;
    variables.try_emplace("node", job.node);
    variables.try_emplace("hostname", job.hostname.empty() ? job.node : job.hostname);
    variables.try_emplace("snapshot", job.snapshot);
    OwnFiles files;
    for (const auto& name : job.overlays) {
        const auto overlay = overlays.find(name);
        if (overlay == overlays.end()) continue;
        for (const auto& [path, file] : overlay->second) {
            files[path] = file.file;
            if (file.is_template) files[path].content = substitute(file.file.content, variables);
        }
    }
    return files;
}

std::string list_of_overlays(const OwnFiles& overlay, const ImagePart& part, const std::string& root,
                             const Files& files, std::vector<std::string>& warnings) {
    TreeView image(files, root);
    std::string list;
    for (const auto& [path, file] : overlay) {
        const auto absolute = "/" + path;
        const bool is_list = path.find('/') == std::string::npos;
        if (is_list || path == "etc/hostname" || path == "etc/machine-id" || path == "etc/statetab") continue;
        if (shown_by(part.plan, image.resolve(absolute).path) != nullptr) continue;
        if (part.plan.root_names == RootNames::fixed && image.resolve(absolute).status == nullptr) {
            warnings.push_back(
                fmt::format("overlay file {0} has no name in the image to be mounted on: in the image's source: "
                            "touch {0}; then image sync",
                            printable(absolute)));
            continue;
        }
        list += absolute + "\n";
    }
    return list.empty() ? list : std::string(kFilesHeader) + list;
}

}  // namespace diskless::server
