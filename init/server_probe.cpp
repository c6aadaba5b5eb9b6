#include "init/server_probe.hpp"

#include "common/nfs/mount_options.hpp"

namespace diskless {

NfsService service_of(const std::string& server, const std::string& options) {
    const auto listener = nfs_listener(options);
    return {server, listener.port != 0 ? listener.port : kNfsPort, listener.tcp};
}

Result<> ask_server(Os& os, const NfsService& service, Deadline deadline) {
    const auto address = Ipv4::parse(service.server);
    if (!address || !service.tcp) return {};
    const auto xid = static_cast<std::uint32_t>(os.machine.random());
    TRY(os.sockets.tcp_exchange(*address, service.port, build_rpc_null_call(xid, kNfsProgram, 3), deadline));
    return {};
}

bool server_answers(Os& os, const NfsService& service, Deadline deadline) {
    return ask_server(os, service, deadline).has_value();
}

ServerVerdict verdict_on(Os& os, NfsService service) {
    return {os.clock,
            [&os, service = std::move(service)](Deadline deadline) { return server_answers(os, service, deadline); }};
}

}  // namespace diskless
