// Is the root's server there? For the agent and the way down.
#pragma once

#include "common/os/os.hpp"

namespace diskless {

/// An NFS NULL call over TCP (RFC 5531): is the server there? A text that is no address counts as there.
bool server_answers(Os& os, const std::string& server, Deadline deadline);
/// The same, and why not.
Result<> ask_server(Os& os, const std::string& server, Deadline deadline);

}  // namespace diskless
