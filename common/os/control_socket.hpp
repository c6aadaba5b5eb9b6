// The control socket: one line asked, one answer given, per connection. Linux: a UNIX stream socket; the kernel says
// who asks (SO_PEERCRED).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/os/clock.hpp"

namespace diskless {

inline constexpr const char* kControlSocket = "/run/diskless/control";

/// A request line as it came, without its newline, and who sent it.
struct ControlMessage {
    int connection = 0;     // for answer()
    std::string line;       // at most kLongestControlLine bytes
    std::uint32_t uid = 0;  // effective, of the peer when it connected
    int pid = 0;
};

inline constexpr std::size_t kLongestControlLine = 512;

class ControlServer {
  public:
    virtual ~ControlServer() = default;
    /// The next complete request, or nothing when the deadline has passed or a signal was caught. Clients that are
    /// slow, silent or too many are dropped here and never hold up others.
    virtual std::optional<ControlMessage> wait(Deadline deadline) = 0;
    /// Sends the answer and ends the connection; a client that went away is no error. Never blocks.
    virtual void answer(int connection, std::string text) = 0;
};

class ControlClient {
  public:
    virtual ~ControlClient() = default;
    /// Asks one line, returns the whole answer. Error codes: ENOENT no socket there, ECONNREFUSED nobody listens,
    /// ETIMEDOUT no answer before the deadline.
    virtual Result<std::string> ask(const std::string& line, Deadline deadline) = 0;
};

/// Listens at `path` (mode 0666; its directory must exist; a left-over socket file is replaced).
Result<std::unique_ptr<ControlServer>> listen_control_socket(const std::string& path, const Clock& clock);

std::unique_ptr<ControlClient> control_socket_client(const std::string& path, const Clock& clock);

}  // namespace diskless
