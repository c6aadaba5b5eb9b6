// What a failed NFS mount means, and what to do about it.
#pragma once

#include <string>
#include <string_view>

#include "common/nfs/mount_options.hpp"

namespace diskless {

enum class MountVerdict {
    try_next_version,  // this server, or this kernel, may do better with the next attempt of the ladder
    retry_later,       // the server or the way to it is not ready: from the top of the ladder again, after a pause
    give_up,           // repeating cannot help until somebody changes something
};

struct MountJudgement {
    MountVerdict verdict = MountVerdict::give_up;
    std::string cause;   // one line for the operator
    std::string remedy;  // one line, may be empty
};

/// `code` is the errno of mount(2); `last` says that the ladder has no further attempt. `server` and `client` are for
/// the texts.
MountJudgement judge_mount_error(int code, NfsVersion version, bool last, Ipv4 server, std::string_view path,
                                 Ipv4 client);

}  // namespace diskless
