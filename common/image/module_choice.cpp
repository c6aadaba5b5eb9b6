#include <algorithm>

#include "common/image/manifest.hpp"

namespace diskless {

namespace {
/// An alias under what it has before its first wildcard: "virtio:d00000001v".
struct IndexedAlias {
    std::string_view prefix;
    std::string_view pattern;
    std::size_t module;
};

template <class Entries>
auto find_named(const Entries& entries, std::string_view name) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.name == name; });
    return found == entries.end() ? nullptr : &*found;
}

/// Depth first, so that needs come before what needs them. `seen` also cuts cycles.
struct LoadOrder {
    const Manifest& manifest;
    std::vector<bool> seen;
    std::vector<const ModuleEntry*> order;

    void add(std::string_view name) {
        const auto* first = manifest.module(name);
        if (!first || seen[index(first)]) return;
        // An explicit stack: a manifest that was tampered with must not overflow that of PID 1.
        std::vector<std::pair<const ModuleEntry*, std::size_t>> stack{{first, 0}};
        seen[index(first)] = true;
        while (!stack.empty()) {
            auto& [entry, next] = stack.back();
            if (next == entry->needs.size()) {
                order.push_back(entry);
                stack.pop_back();
                continue;
            }
            const auto* need = manifest.module(entry->needs[next++]);
            if (!need || seen[index(need)]) continue;
            seen[index(need)] = true;
            stack.emplace_back(need, 0);
        }
    }

  private:
    std::size_t index(const ModuleEntry* entry) const {
        return static_cast<std::size_t>(entry - manifest.modules.data());
    }
};
}  // namespace

const ModuleEntry* Manifest::module(std::string_view name) const { return find_named(modules, normalize_alias(name)); }

const ModuleGroup* Manifest::group(std::string_view name) const { return find_named(groups, name); }

bool Manifest::is_builtin(std::string_view name) const {
    return std::find(builtin.begin(), builtin.end(), normalize_alias(name)) != builtin.end();
}

std::vector<const ModuleEntry*> modules_for(const Manifest& manifest, const std::vector<std::string>& modaliases) {
    std::vector<IndexedAlias> index;
    std::vector<std::size_t> lengths;  // of prefixes, each once: how much of a modalias to look up
    for (std::size_t i = 0; i < manifest.modules.size(); ++i)
        for (const std::string_view alias : manifest.modules[i].aliases) {
            const auto prefix = alias.substr(0, alias.find_first_of("*?[\\"));
            index.push_back({prefix, alias, i});
            lengths.push_back(prefix.size());
        }
    std::sort(index.begin(), index.end(), [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
    std::sort(lengths.begin(), lengths.end());
    lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());

    std::vector<bool> wanted(manifest.modules.size());
    for (const auto& raw : modaliases) {
        const auto modalias = normalize_alias(raw);
        for (const auto length : lengths) {
            if (length > modalias.size()) break;
            const auto prefix = std::string_view(modalias).substr(0, length);
            auto at = std::lower_bound(index.begin(), index.end(), prefix,
                                       [](const auto& entry, std::string_view key) { return entry.prefix < key; });
            for (; at != index.end() && at->prefix == prefix; ++at)
                if (!wanted[at->module] && glob_matches(at->pattern, modalias)) wanted[at->module] = true;
        }
    }
    std::vector<const ModuleEntry*> found;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i]) found.push_back(&manifest.modules[i]);
    return found;
}

std::vector<const ModuleEntry*> load_order(const Manifest& manifest, const std::vector<std::string>& names) {
    LoadOrder result{manifest, std::vector<bool>(manifest.modules.size()), {}};
    for (const auto& name : names) {
        if (const auto* group = manifest.group(name)) {
            for (const auto& member : group->modules) result.add(member);
        } else {
            result.add(name);
        }
    }
    return result.order;
}

std::vector<std::string> missing_modules(const Manifest& manifest, const std::vector<std::string>& names) {
    std::vector<std::string> missing;
    for (const auto& name : names)
        if (!manifest.group(name) && !manifest.module(name) && !manifest.is_builtin(name)) missing.push_back(name);
    return missing;
}

}  // namespace diskless
