// Small looks at the root's server and the snapshot, for the agent and the way down.
#pragma once

#include "common/os/os.hpp"
#include "common/report/node_status.hpp"

namespace diskless {

/// An NFS NULL call over TCP (RFC 5531): is the server there? A text that is no address counts as there.
bool server_answers(Os& os, const std::string& server, Deadline deadline);

/// free_space() (common/os/resident.hpp) in a form that a child can hand over.
Result<std::string> packed_space(const std::string& path);
Result<Space> unpacked_space(const std::string& packed);

}  // namespace diskless
