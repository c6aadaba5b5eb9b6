#include "init/server_probe.hpp"

#include "common/base/pack.hpp"
#include "common/base/text.hpp"
#include "common/nfs/rpc.hpp"
#include "common/os/resident.hpp"

namespace diskless {

bool server_answers(Os& os, const std::string& server, Deadline deadline) {
    const auto address = Ipv4::parse(server);
    if (!address) return true;
    const auto xid = static_cast<std::uint32_t>(os.machine.random());
    const auto reply = os.sockets.tcp_exchange(*address, kNfsPort, build_rpc_null_call(xid, kNfsProgram, 3), deadline);
    return reply.has_value();
}

Result<std::string> packed_space(const std::string& path) {
    const auto space = TRY(free_space(path));
    return pack({std::to_string(space.free_bytes), std::to_string(space.total_bytes), std::to_string(space.free_inodes),
                 std::to_string(space.total_inodes)});
}

Result<Space> unpacked_space(const std::string& packed) {
    const auto numbers = TRY(unpack(packed));
    if (numbers.size() != 4) return fail("the answer about free room is damaged");
    const auto number = [&](std::size_t i) { return parse_number<std::uint64_t>(numbers[i]).value_or(0); };
    return Space{number(0), number(1), number(2), number(3)};
}

}  // namespace diskless
