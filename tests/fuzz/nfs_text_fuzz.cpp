// What option 17 and the command line say about NFS: never more than one line, one server, one word for each thing.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/base/text.hpp"
#include "common/net/root_path.hpp"
#include "common/nfs/mount_options.hpp"
#include "common/nfs/servers.hpp"

using namespace diskless;

namespace {
void require(bool promise) {
    if (!promise) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto root = parse_root_path(text)) require(root->path.starts_with('/'));
    if (const auto location = parse_nfs_location(text)) require(location->path.starts_with('/'));
    require(expand_path_template(text, "n1", {}).size() <= size + 2);
    NfsMountWish wish;
    wish.options = text;
    wish.server = Ipv4(10, 9, 0, 1);
    const auto ladder = nfs_ladder(wish);
    require(!ladder.attempts.empty());
    for (const auto& attempt : ladder.attempts) {
        require(printable(attempt.options) == attempt.options);
        int addresses = 0;
        for (const auto option : split(attempt.options, ',')) addresses += option.starts_with("addr=");
        require(addresses == 1);
    }
    return 0;
}
