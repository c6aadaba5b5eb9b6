#include "common/state/tree_view.hpp"

#include <algorithm>
#include <deque>

#include "common/base/text.hpp"
#include "common/state/pattern.hpp"

namespace diskless {

namespace {
/// For more names of one directory its listing is cheaper: NFS answers for all of them, absent or not, in one round
/// trip.
constexpr std::size_t kAskBeforeListing = 4;
constexpr int kMaxSymlinks = 40;  // as the kernel
}  // namespace

bool is_beneath(std::string_view path, std::string_view top) {
    return path == top || top == "/" || (path.starts_with(top) && path[top.size()] == '/');
}

void TreeView::expect(const std::string& path) {
    for (auto name = path; name != "/" && name != "."; name = parent_path(name))
        if (!expected_[parent_path(name)].insert(base_name(name)).second) return;
}

const FileStatus* TreeView::status(const std::string& path) {
    if (const auto known = known_.find(path); known != known_.end()) return known->second ? &*known->second : nullptr;
    std::optional<FileStatus> found;
    bool ask = true;
    if (path != "/") {
        const auto parent = parent_path(path);
        ask = is_directory(parent);
        if (ask && !listed_.contains(parent)) {
            const auto expected = expected_.find(parent);
            const auto all = std::max(++asked_[parent], expected == expected_.end() ? 0 : expected->second.size());
            if (all > kAskBeforeListing) names(parent);
        }
        if (const auto list = listed_.find(parent); ask && list != listed_.end())
            ask = std::binary_search(list->second.begin(), list->second.end(), base_name(path));
    }
    if (ask) {
        const auto answer = files_.status(outside(path));
        if (answer)
            found = *answer;
        else if (answer.error().code != ENOENT && answer.error().code != ENOTDIR)
            errors_.push_back(answer.error());
    }
    const auto& kept = known_[path] = found;
    return kept ? &*kept : nullptr;
}

bool TreeView::is_directory(const std::string& path) {
    const auto* found = status(path);
    return found != nullptr && found->kind == FileKind::directory;
}

const std::vector<std::string>& TreeView::names(const std::string& path) {
    static const std::vector<std::string> kNone;
    if (const auto known = listed_.find(path); known != listed_.end()) return known->second;
    if (!is_directory(path)) return kNone;
    auto list = files_.list(outside(path));
    if (!list) {
        errors_.push_back(list.error());
        return kNone;  // not kept: single questions may still be answered
    }
    return listed_[path] = std::move(*list);
}

TreeView::Resolved TreeView::resolve(const std::string& path) {
    std::deque<std::string> rest;
    for (const auto part : split(path, '/')) rest.emplace_back(part);
    std::vector<std::string> done;
    Resolved result;
    const auto here = [&] { return "/" + join(done, "/"); };
    int links = 0;
    while (!rest.empty()) {
        const auto name = rest.front();
        rest.pop_front();
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            if (!done.empty()) done.pop_back();
            continue;
        }
        done.push_back(name);
        const bool elsewhere = done[0] == "proc" || done[0] == "sys" || done[0] == "dev" || done[0] == "run";
        const auto* found = elsewhere ? nullptr : status(here());
        if (found == nullptr || found->kind != FileKind::symlink) continue;
        const auto target =
            ++links > kMaxSymlinks ? Result<std::string>(fail("loop")) : files_.read_link(outside(here()));
        if (!target) {
            result.loop = links > kMaxSymlinks;
            if (!result.loop) errors_.push_back(target.error());
            result.path = here();
            return result;
        }
        const auto parts = split(*target, '/');
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) rest.emplace_front(*part);
        if (target->starts_with('/'))
            done.clear();
        else
            done.pop_back();
    }
    result.path = here();
    result.elsewhere = !done.empty() && (done[0] == "proc" || done[0] == "sys" || done[0] == "dev" || done[0] == "run");
    if (!result.elsewhere) result.status = status(result.path);
    return result;
}

std::string TreeView::symlink_in(const std::string& path) {
    std::string walked;
    for (const auto part : split(path, '/')) {
        if (part.empty()) continue;
        walked += '/';
        walked += part;
        const auto* found = status(walked);
        if (found == nullptr) return {};
        if (found->kind == FileKind::symlink) return walked;
    }
    return {};
}

std::vector<std::string> TreeView::glob(const std::string& pattern, bool follow, std::size_t limit) {
    std::vector<std::string> found{""};
    for (const auto part : split(pattern, '/')) {
        if (part.empty()) continue;
        std::vector<std::string> next;
        for (const auto& directory : found) {
            if (!has_pattern(part)) {
                next.push_back(directory + "/" + std::string(part));
                continue;
            }
            auto place = directory.empty() ? std::string("/") : directory;
            if (follow) {
                const auto resolved = resolve(place);
                if (resolved.elsewhere || resolved.loop) continue;
                place = resolved.path;
            }
            compared_ += names(place).size() + 1;
            for (const auto& name : names(place))
                if (next.size() < limit && matches_name(part, name)) next.push_back(directory + "/" + name);
        }
        found = std::move(next);
    }
    std::erase_if(found, [&](const auto& path) {
        if (!follow) return status(path) == nullptr;
        const auto resolved = resolve(parent_path(path));  // a dangling symlink counts as there
        return resolved.elsewhere || resolved.loop || status(join_path(resolved.path, base_name(path))) == nullptr;
    });
    return found;
}

}  // namespace diskless
