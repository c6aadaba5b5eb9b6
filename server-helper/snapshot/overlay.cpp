#include "server-helper/snapshot/overlay.hpp"

#include <set>

#include "common/base/text.hpp"

namespace diskless::server {

namespace {

constexpr std::size_t kLargestFile = 16 << 20;  // bytes: overlays are kept in memory

struct Reader {
    const std::string& top;
    const Files& files;
    const std::set<std::string>& templates;
    ReadOverlay& result;

    Result<> add(const std::string& path) {
        for (const auto& name : TRY(files.list(join_path(top, path)))) {
            const auto inner = path.empty() ? name : path + "/" + name;
            if (inner == kTemplatesList) continue;
            const auto outside = join_path(top, inner);
            const auto status = TRY(files.status(outside));
            if (status.kind == FileKind::directory) {
                TRY(add(inner));
            } else if (status.kind == FileKind::regular) {
                TRY(add_file(inner, outside, status));
            } else {
                result.warnings.push_back(printable(outside) + " is no plain file: left out");
            }
        }
        return {};
    }

    Result<> add_file(std::string path, const std::string& outside, const FileStatus& status) {
        OverlayFile file;
        file.file = {TRY(files.read(outside, kLargestFile)), status.mode & 0777, status.uid, status.gid};
        file.origin = outside;
        file.is_template = templates.contains(path);
        if (path.ends_with(".in") && base_name(path).size() > 3) {
            file.is_template = true;
            path.resize(path.size() - 3);
        }
        result.files[path] = std::move(file);
        return {};
    }
};

}  // namespace

std::string substitute(std::string_view text, const std::map<std::string, std::string>& variables) {
    std::string result;
    while (!text.empty()) {
        const auto begin = text.find("${");
        result += text.substr(0, begin);
        if (begin == std::string_view::npos) break;
        text.remove_prefix(begin);
        const auto end = text.find('}');
        const auto known =
            end == std::string_view::npos ? variables.end() : variables.find(std::string(text.substr(2, end - 2)));
        if (known != variables.end()) {
            result += known->second;
            text.remove_prefix(end + 1);
        } else {
            result += "${";
            text.remove_prefix(2);
        }
    }
    return result;
}

Result<ReadOverlay> read_overlay(const std::string& directory, const Files& files) {
    ReadOverlay result;
    if (!files.exists(directory)) return result;
    std::set<std::string> templates;
    if (const auto list = files.read(join_path(directory, kTemplatesList)))
        for (const auto line : lines(*list)) {
            auto path = trim(line);
            while (path.starts_with('/')) path.remove_prefix(1);
            if (!path.empty() && path.front() != '#') templates.emplace(path);
        }
    Reader reader{directory, files, templates, result};
    TRY_TO("read overlay", reader.add(""));
    return result;
}

}  // namespace diskless::server
