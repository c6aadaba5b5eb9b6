// Where a server's services for NFS 3 are.
#pragma once

#include "common/nfs/mount_options.hpp"
#include "common/os/os.hpp"

namespace diskless {

/// Asks the port mapper by UDP, and again when an answer stays out; what is not known after a moment is 0, and the
/// kernel asks for itself by TCP.
NfsPorts ask_for_ports(Os& os, Ipv4 server, Deadline deadline);

}  // namespace diskless
