#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "common/os/anchors.hpp"

namespace diskless {

namespace {

struct Anchor {
    const char* path;
    std::size_t length;
    std::atomic<int> directory{-1};
};

Anchor anchors[]{{"/run", 4}, {"/dev", 4}, {"/proc", 5}, {"/sys", 4}};

}  // namespace

void anchor_api_directories() noexcept {
    for (auto& anchor : anchors) {
        const int directory = open(anchor.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) continue;
        const int before = anchor.directory.exchange(directory);
        if (before >= 0) close(before);
    }
}

At::At(const char* absolute) noexcept : directory(AT_FDCWD), path(absolute) {
    for (const auto& anchor : anchors) {
        if (std::strncmp(absolute, anchor.path, anchor.length) != 0) continue;
        const char* rest = absolute + anchor.length;
        if (*rest != '/' && *rest != '\0') continue;
        const int opened = anchor.directory.load();
        if (opened < 0) return;
        while (*rest == '/') ++rest;
        directory = opened;
        path = *rest == '\0' ? "." : rest;
        return;
    }
}

}  // namespace diskless
