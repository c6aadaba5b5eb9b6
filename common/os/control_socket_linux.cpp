#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "common/os/control_socket.hpp"
#include "common/os/descriptor.hpp"

namespace diskless {

namespace {
constexpr std::size_t kMostConnections = 32;
// Between two looks at those that are there: whoever connects without end must not hold up the agent, nor push out in
// one go what has had no turn to ask.
constexpr int kMostAtOnce = 8;
constexpr std::size_t kLongestAnswer = 8 << 20;
constexpr Nanoseconds kPatience = Seconds{5};  // with one client, from its connect on

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return fail("socket path " + path + " is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// Rounded up, so that a wait never ends just before its deadline and spins.
int poll_timeout(Nanoseconds left) {
    if (left > Seconds{3600}) return 3'600'000;
    return static_cast<int>((left.count() + 999'999) / 1'000'000);
}

struct Connection {
    int id = 0;
    Descriptor socket;
    std::uint32_t uid = 0;
    int pid = 0;
    Deadline deadline;
    std::string received;
    std::string answer;
    std::size_t sent = 0;
    bool asked = false;     // the request was handed out
    bool answered = false;  // only `answer` is left to send
    bool over = false;
};

class LinuxControlServer : public ControlServer {
  public:
    LinuxControlServer(Descriptor listener, const Clock& clock) : listener_(std::move(listener)), clock_(clock) {}

    std::optional<ControlMessage> wait(Deadline deadline) override {
        for (;;) {
            if (auto message = next_request()) return message;
            Deadline soonest = deadline;
            std::vector<pollfd> polled{{listener_.get(), POLLIN, 0}};
            for (const auto& connection : connections_) {
                soonest = soonest.sooner_of(connection.deadline);
                const short events = connection.answered ? POLLOUT : connection.asked ? short{0} : short{POLLIN};
                polled.push_back({connection.socket.get(), events, 0});
            }
            // A signal is news, too.
            if (::poll(polled.data(), polled.size(), poll_timeout(soonest.left(clock_))) < 0) return std::nullopt;
            for (std::size_t i = 0; i < connections_.size(); ++i) {
                auto& connection = connections_[i];
                const short happened = polled[i + 1].revents;
                if (happened & POLLIN) receive(connection);
                if (happened & POLLOUT) send(connection);
                if ((happened & (POLLERR | POLLHUP | POLLNVAL)) && !(happened & POLLIN)) connection.over = true;
                if (connection.deadline.passed(clock_)) connection.over = true;
            }
            std::erase_if(connections_, [](const Connection& connection) { return connection.over; });
            if (polled[0].revents & POLLIN) accept_some();
            if (deadline.passed(clock_)) return next_request();
        }
    }

    void answer(int id, std::string text) override {
        for (auto& connection : connections_) {
            if (connection.id != id) continue;
            connection.answer = std::move(text);
            connection.answered = true;
            connection.deadline = Deadline::after(clock_, kPatience);
            send(connection);
        }
        std::erase_if(connections_, [](const Connection& connection) { return connection.over; });
    }

  private:
    std::optional<ControlMessage> next_request() {
        for (auto& connection : connections_) {
            if (connection.asked || connection.over) continue;
            const auto end = connection.received.find('\n');
            if (end == std::string::npos) continue;
            connection.asked = true;
            // The answer may take as long as the asked one needs: its own patience starts with answer().
            connection.deadline = Deadline::after(clock_, Seconds{60});
            return ControlMessage{connection.id, connection.received.substr(0, end), connection.uid, connection.pid};
        }
        return std::nullopt;
    }

    void accept_some() {
        for (int accepted = 0; accepted < kMostAtOnce; ++accepted) {
            Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (!socket) return;
            ucred peer{};
            socklen_t size = sizeof peer;
            if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) continue;
            if (connections_.size() >= kMostConnections && !make_room_for(peer.uid)) continue;
            auto& connection = connections_.emplace_back();
            connection.id = ++last_id_;
            connection.socket = std::move(socket);
            connection.uid = peer.uid;
            connection.pid = peer.pid;
            connection.deadline = Deadline::after(clock_, kPatience);
        }
    }

    /// Crowded: the one that waits longest without having asked makes room, so that root always gets in. Root itself
    /// makes room for root only.
    bool make_room_for(std::uint32_t uid) {
        const auto oldest = [this](bool asked, bool of_root) {
            return std::ranges::find_if(connections_,
                                        [=](const auto& c) { return c.asked == asked && (c.uid == 0) == of_root; });
        };
        for (const bool of_root : {false, true})
            for (const bool asked : {false, true}) {
                if (of_root && uid != 0) continue;
                const auto found = oldest(asked, of_root);
                if (found == connections_.end()) continue;
                connections_.erase(found);
                return true;
            }
        return false;
    }

    static void receive(Connection& connection) {
        char buffer[kLongestControlLine + 1];
        const ssize_t got = ::recv(connection.socket.get(), buffer, sizeof buffer, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            connection.over = true;
            return;
        }
        connection.received.append(buffer, static_cast<std::size_t>(got));
        const auto end = connection.received.find('\n');
        if ((end == std::string::npos ? connection.received.size() : end) > kLongestControlLine) connection.over = true;
    }

    static void send(Connection& connection) {
        while (connection.sent < connection.answer.size()) {
            const ssize_t done = ::send(connection.socket.get(), connection.answer.data() + connection.sent,
                                        connection.answer.size() - connection.sent, MSG_NOSIGNAL);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0 && errno == EAGAIN) return;
            if (done < 0) break;
            connection.sent += static_cast<std::size_t>(done);
        }
        // A child that was forked meanwhile, and may hang, has the socket open too: closing ours would end nothing.
        ::shutdown(connection.socket.get(), SHUT_WR);
        connection.over = true;
    }

    Descriptor listener_;
    const Clock& clock_;
    std::vector<Connection> connections_;
    int last_id_ = 0;
};

class LinuxControlClient : public ControlClient {
  public:
    LinuxControlClient(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

    Result<std::string> ask(const std::string& line, Deadline deadline) override {
        const sockaddr_un address = TRY(address_of(path_));
        Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket) return fail_errno("socket");
        while (::connect(socket.get(), generic(address), sizeof address) != 0) {
            // A full backlog (EAGAIN) cannot be polled for.
            if (errno != EAGAIN && errno != EINTR) return fail_errno("connect to " + path_);
            if (deadline.passed(clock_)) return timed_out();
            ::poll(nullptr, 0, 10);
        }
        const std::string request = line + "\n";
        if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
            return fail_errno("send to " + path_);
        std::string answer;
        for (;;) {
            pollfd polled{socket.get(), POLLIN, 0};
            if (deadline.passed(clock_)) return timed_out();
            if (::poll(&polled, 1, poll_timeout(deadline.left(clock_))) <= 0) continue;
            char buffer[4096];
            const ssize_t got = ::recv(socket.get(), buffer, sizeof buffer, 0);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (got < 0) return fail_errno("receive from " + path_);
            if (got == 0) return answer;
            if (answer.size() + static_cast<std::size_t>(got) > kLongestAnswer)
                return fail("the answer from " + path_ + " does not end", {}, EMSGSIZE);
            answer.append(buffer, static_cast<std::size_t>(got));
        }
    }

  private:
    Failure timed_out() const {
        return fail("no answer from " + path_ + " in time", "see whether the agent is running: ps -C diskless-agent",
                    ETIMEDOUT);
    }

    std::string path_;
    const Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> listen_control_socket(const std::string& path, const Clock& clock) {
    const sockaddr_un address = TRY(address_of(path));
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return fail_errno("socket");
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove old " + path);
    if (::bind(socket.get(), generic(address), sizeof address) != 0) return fail_errno("bind " + path);
    // Everybody may ask for the status; what changes something looks at the peer's user id.
    if (::chmod(path.c_str(), 0666) != 0) return fail_errno("chmod " + path);
    if (::listen(socket.get(), 16) != 0) return fail_errno("listen at " + path);
    return std::unique_ptr<ControlServer>(std::make_unique<LinuxControlServer>(std::move(socket), clock));
}

std::unique_ptr<ControlClient> control_socket_client(const std::string& path, const Clock& clock) {
    return std::make_unique<LinuxControlClient>(path, clock);
}

}  // namespace diskless
