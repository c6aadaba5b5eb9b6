// A network in which servers are functions: what they answer arrives after a while on the fake clock.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "common/os/sockets.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace diskless {

class FakeSockets : public Sockets {
  public:
    explicit FakeSockets(FakeClock& clock) : clock_(clock) {}

    using Server = std::function<std::optional<std::string>(const std::string&)>;
    std::map<int, Server> packets;           // by link: what answers IP packets there (DHCP)
    std::map<int, Server> frames;            // by link: RARP
    std::map<Ipv4, Server> udp;              // by address (SNTP)
    std::map<Ipv4, Server> tcp;              // by address (NFS); absent: connection refused
    std::map<Ipv4, std::uint16_t> tcp_port;  // where those listen; absent: at every port
    std::vector<Ipv4> black_holes;           // TCP into them ends with the deadline
    std::set<Ipv4> refused_udp;              // the local port is taken
    Nanoseconds delay = Milliseconds{1};

    Result<std::unique_ptr<Channel>> open_packets(int link, std::uint16_t) override { return open(packets[link]); }
    Result<std::unique_ptr<Channel>> open_frames(int link, std::uint16_t) override { return open(frames[link]); }
    Result<std::unique_ptr<Channel>> open_udp(Ipv4 server, std::uint16_t, std::uint16_t) override {
        if (refused_udp.contains(server)) return fail_errno("bind for " + server.text(), EADDRINUSE);
        return open(udp[server]);
    }

    Result<std::string> tcp_exchange(Ipv4 server, std::uint16_t port, const std::string& request,
                                     Deadline deadline) override {
        for (const auto hole : black_holes)
            if (hole == server) {
                clock_.advance(deadline.left(clock_));
                return fail_errno("connect to " + server.text(), ETIMEDOUT);
            }
        clock_.advance(delay);
        const auto found = tcp.find(server);
        const auto listens = tcp_port.find(server);
        if (found == tcp.end() || (listens != tcp_port.end() && listens->second != port))
            return fail_errno("connect to " + server.text(), ECONNREFUSED);
        auto answer = found->second(request);
        if (!answer) return fail_errno("read from " + server.text(), ECONNRESET);
        return *answer;
    }

    std::vector<bool> wait(const std::vector<Channel*>& channels, Deadline deadline) override {
        auto next = deadline.at;
        for (auto* channel : channels) next = std::min(next, static_cast<Line*>(channel)->next());
        if (next > clock_.now())
            clock_.advance(next == Nanoseconds::max() ? Nanoseconds(Seconds{1}) : next - clock_.now());
        std::vector<bool> readable;
        for (auto* channel : channels) readable.push_back(static_cast<Line*>(channel)->next() <= clock_.now());
        return readable;
    }

  private:
    class Line : public Channel {
      public:
        Line(FakeClock& clock, Server& server, Nanoseconds delay) : clock_(clock), server_(server), delay_(delay) {}
        Result<> send(const std::string& bytes) override {
            if (server_)
                if (auto answer = server_(bytes)) arriving_.emplace_back(clock_.now() + delay_, std::move(*answer));
            return {};
        }
        Result<std::string> receive() override {
            if (arriving_.empty() || arriving_.front().first > clock_.now()) return fail_errno("receive", EAGAIN);
            auto bytes = std::move(arriving_.front().second);
            arriving_.pop_front();
            return bytes;
        }
        Nanoseconds next() const { return arriving_.empty() ? Nanoseconds::max() : arriving_.front().first; }

      private:
        FakeClock& clock_;
        Server& server_;
        Nanoseconds delay_;
        std::deque<std::pair<Nanoseconds, std::string>> arriving_;
    };

    std::unique_ptr<Channel> open(Server& server) { return std::make_unique<Line>(clock_, server, delay); }

    FakeClock& clock_;
};

}  // namespace diskless
