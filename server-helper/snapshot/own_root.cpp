#include "server-helper/snapshot/own_root.hpp"

#include <fmt/core.h>

#include "common/base/text.hpp"
#include "common/os/place_file.hpp"
#include "server-helper/model/image_list.hpp"

namespace diskless::server {

namespace {
constexpr std::size_t kMaxFile = 1 << 16;

bool is_plain_file(const Files& files, const std::string& path) {
    const auto status = files.status(path);
    return status && status->kind == FileKind::regular;
}

Result<> name_it(Files& files, const std::string& root, const std::string& hostname) {
    for (const auto& name : TRY(files.list(root)))
        if (name.starts_with(kOurNames)) TRY(files.remove(join_path(root, name)));
    // A link out of the root would lead to a file of this server.
    for (const char* directory : {"etc", "etc/sysconfig"})
        if (const auto status = files.status(join_path(root, directory)); status && status->kind == FileKind::symlink)
            return fail(fmt::format("{} of the image is a symlink", directory), "make it a directory, then image sync");
    const auto mtab = join_path(root, "etc/mtab");
    if (is_plain_file(files, mtab)) TRY(files.remove(mtab));
    const auto name = join_path(root, "etc/hostname");
    if (is_plain_file(files, name)) TRY(files.replace(name, hostname + "\n"));
    const auto network = join_path(root, "etc/sysconfig/network");
    if (!is_plain_file(files, network)) return {};
    return files.replace(network, with_hostname(TRY(files.read(network, kMaxFile)), hostname));
}

Result<> fill(Files& files, const std::string& from, const std::string& partial, const std::string& to,
              const std::string& hostname) {
    TRY_TO("copy the image", files.copy(from, partial, CopyWhat::everything));
    TRY(name_it(files, partial, hostname));
    return files.rename(partial, to);
}
}  // namespace

std::string with_hostname(std::string_view text, std::string_view hostname) {
    std::string result;
    bool told = false;
    for (const auto line : lines(text)) {
        const bool is_name = trim(line).starts_with("HOSTNAME=");
        if (!is_name) result += line;
        if (is_name && told) continue;
        if (is_name) result += fmt::format("HOSTNAME={}", hostname);
        told = told || is_name;
        result += '\n';
    }
    return told ? result : result + fmt::format("HOSTNAME={}\n", hostname);
}

Result<bool> make_own_root(Files& files, const std::string& from, const std::string& to, const std::string& hostname) {
    if (const auto status = files.status(to)) {
        if (status->kind == FileKind::directory) return false;
        return fail(to + " is no directory", "take it away, or name another own-root");
    }
    const auto partial = join_path(parent_path(to), "." + base_name(to) + ".partial");
    TRY(files.make_directories(parent_path(to)));
    TRY_TO("clear away what an interrupted run has left", files.remove_tree(partial));
    if (const auto made = fill(files, from, partial, to, hostname); !made) {
        (void)files.remove_tree(partial);  // the disk may be full of it
        return Failure(made.error());
    }
    return true;
}

}  // namespace diskless::server
