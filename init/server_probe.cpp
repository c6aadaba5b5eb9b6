#include "init/server_probe.hpp"

#include "common/nfs/rpc.hpp"

namespace diskless {

Result<> ask_server(Os& os, const std::string& server, Deadline deadline) {
    const auto address = Ipv4::parse(server);
    if (!address) return {};
    const auto xid = static_cast<std::uint32_t>(os.machine.random());
    TRY(os.sockets.tcp_exchange(*address, kNfsPort, build_rpc_null_call(xid, kNfsProgram, 3), deadline));
    return {};
}

bool server_answers(Os& os, const std::string& server, Deadline deadline) {
    return ask_server(os, server, deadline).has_value();
}

}  // namespace diskless
