#include "common/state/list_files.hpp"

#include <fmt/core.h>

#include <array>

#include "common/base/text.hpp"
#include "common/state/pattern.hpp"

namespace diskless {

namespace {

enum class Where { snapshot, location, root };
enum class Format { paths, rwtab, litefile };

struct ListPlace {
    Where where;
    std::string_view path;
    Format format;
    bool directory = false;
};

/// The order of precedence: when two lists name one path, the upper one wins. Defaults come after all of them.
constexpr std::array<ListPlace, 11> kOrder{{
    {Where::snapshot, "/files.custom", Format::paths},  // one node's own wish
    {Where::snapshot, "/files", Format::paths},
    {Where::location, "/files.custom", Format::paths},  // all nodes of an image (system-config-netboot)
    {Where::location, "/files", Format::paths},
    {Where::snapshot, "/litefile", Format::litefile},  // xCAT
    {Where::location, "/litefile", Format::litefile},
    {Where::root, "/etc/litefile", Format::litefile},
    {Where::root, "/etc/statetab", Format::paths},  // Red Hat readonly-root
    {Where::root, "/etc/statetab.d", Format::paths, true},
    {Where::root, "/etc/rwtab", Format::rwtab},
    {Where::root, "/etc/rwtab.d", Format::rwtab, true},
}};

/// Left by editors and packages: readonly-root ignores them.
bool is_ignored(std::string_view name) {
    static constexpr std::array<std::string_view, 8> kEndings{"~",       ".bak",     ".old",     ".orig",
                                                              ".rpmnew", ".rpmorig", ".rpmsave", ".dpkg-dist"};
    for (const auto ending : kEndings)
        if (name.ends_with(ending)) return true;
    return name.starts_with('.');
}

class Reader {
  public:
    Reader(const StateInput& input, const Files& files, TreeView& root, TreeView* snapshot, TreeView* location)
        : input_(input), files_(files), root_(root), snapshot_(snapshot), location_(location) {
        if (snapshot_ != nullptr)  // one listing answers for all lists that are not there
            for (const char* directory : {"/", "/etc"}) snapshot_->names(directory);
        // either the location itself or its snapshot directory may be what is mounted
        if (location_ != nullptr) {
            location_->names("/");
            if (location_->is_directory("/snapshot")) location_top_ = "/snapshot";
        }
    }

    ReadLists run() {
        for (const auto& place : kOrder)
            if (place.where == Where::root) root_.expect(std::string(place.path));
        for (const auto& place : kOrder) read_place(place);
        for (const auto& [where, path] : std::initializer_list<std::pair<Where, std::string_view>>{
                 {Where::snapshot, "/litetree"}, {Where::location, "/litetree"}, {Where::root, "/etc/litetree"}})
            read_litetree(where, std::string(path));
        return std::move(result_);
    }

  private:
    TreeView* view(Where where) {
        return where == Where::snapshot ? snapshot_ : where == Where::location ? location_ : &root_;
    }
    std::string name_of(Where where, const std::string& path) const {
        return where == Where::snapshot ? "snapshot" + path : where == Where::location ? "location" + path : path;
    }

    void read_place(const ListPlace& place) {
        const std::string path(place.path);
        if (place.where == Where::root && place.format == Format::paths && snapshot_ != nullptr && !place.directory &&
            snapshot_->status(path) != nullptr) {
            // readonly-root binds the node's own statetab over the image's before it reads it
            if (const auto text = read(Where::snapshot, path)) take(place.format, *text, "snapshot" + path);
            return;
        }
        if (!place.directory) {
            if (const auto text = read(place.where, path)) take(place.format, *text, name_of(place.where, path));
            return;
        }
        const auto folder = root_.resolve(path);
        for (const auto& name : root_.names(folder.path)) {
            if (is_ignored(name)) continue;
            if (const auto text = read(place.where, join_path(folder.path, name)))
                take(place.format, *text, join_path(path, name));
        }
    }

    void take(Format format, const std::string& text, const std::string& name) {
        auto list = format == Format::paths   ? parse_path_list(text, name)
                    : format == Format::rwtab ? parse_rwtab(text, name)
                                              : parse_litefile(text, name, input_.images);
        result_.files.push_back(name);
        for (auto& entry : list.entries) result_.entries.push_back({std::move(entry), format == Format::litefile});
        for (auto& problem : list.problems) result_.problems.push_back(std::move(problem));
    }

    /// The text of a list, nothing when it is absent or cannot be read (then there is a problem).
    std::optional<std::string> read(Where where, std::string path) {
        auto* tree = view(where);
        if (tree == nullptr) return std::nullopt;
        const StateOrigin origin{name_of(where, path)};
        const FileStatus* status = nullptr;
        if (where == Where::root) {
            const auto resolved = tree->resolve(path);
            path = resolved.path;
            status = resolved.status;
        } else {
            if (where == Where::location) path = location_top_ + path;
            if (const auto link = tree->symlink_in(path); !link.empty()) {
                result_.problems.push_back({origin,
                                            fmt::format("{} is a symlink: not read", printable(tree->outside(link))),
                                            "put the list itself there"});
                return std::nullopt;
            }
            status = tree->status(path);
        }
        if (status == nullptr) return std::nullopt;
        if (status->kind != FileKind::regular) {
            result_.problems.push_back({origin,
                                        fmt::format("{} is not a file: not read", printable(tree->outside(path))),
                                        "put a text file there, or remove it"});
            return std::nullopt;
        }
        auto text = files_.read(tree->outside(path));
        if (!text) {
            result_.problems.push_back({origin, text.error().cause, text.error().remedy});
            return std::nullopt;
        }
        return std::move(*text);
    }

    void read_litetree(Where where, const std::string& path) {
        const auto text = read(where, path);
        if (!text) return;
        const auto name = name_of(where, path);
        result_.files.push_back(name);
        auto tree = parse_litetree(*text, name, input_.images, input_.node);
        for (auto& problem : tree.problems) result_.problems.push_back(std::move(problem));
        for (const auto& entry : tree.entries) {
            std::string found;
            if (entry.directory.starts_with('/')) {
                const auto resolved = root_.resolve(entry.directory);
                if (resolved.status != nullptr && resolved.status->kind == FileKind::directory)
                    found = root_.outside(resolved.path);
            }
            for (const auto& mounted : input_.litetree)
                if (mounted.directory == entry.directory) found = mounted.mounted_at;
            if (found.empty())
                result_.problems.push_back({entry.origin,
                                            fmt::format("directory {} is not there", printable(entry.directory)),
                                            "copy its content into a directory of the root and name that"});
            else
                result_.litetree.push_back(found);
        }
    }

    const StateInput& input_;
    const Files& files_;
    TreeView& root_;
    TreeView* snapshot_;
    TreeView* location_;
    std::string location_top_;
    ReadLists result_;
};

}  // namespace

ReadLists read_lists(const StateInput& input, const Files& files, TreeView& root, TreeView* snapshot,
                     TreeView* location) {
    return Reader(input, files, root, snapshot, location).run();
}

}  // namespace diskless
