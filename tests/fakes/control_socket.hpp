// A control socket without a socket: requests are queued by the test, answers are kept by connection.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "common/os/control_socket.hpp"

namespace diskless {

class FakeControlServer : public ControlServer {
  public:
    /// `pass_time` is called when nobody asks before a deadline: move the fake clock there.
    explicit FakeControlServer(std::function<void(Deadline)> pass_time) : pass_time_(std::move(pass_time)) {}

    /// Somebody asks; the connection, to look its answer up.
    int ask(std::string line, std::uint32_t uid = 0) {
        const int connection = ++last_;
        waiting_.push_back({connection, std::move(line), uid, 4242});
        return connection;
    }
    const std::string& answer_to(int connection) { return answers_[connection]; }

    std::optional<ControlMessage> wait(Deadline deadline) override {
        if (waiting_.empty()) {
            pass_time_(deadline);
            return std::nullopt;
        }
        auto message = std::move(waiting_.front());
        waiting_.pop_front();
        return message;
    }
    void answer(int connection, std::string text) override { answers_[connection] = std::move(text); }

  private:
    std::function<void(Deadline)> pass_time_;
    std::deque<ControlMessage> waiting_;
    std::map<int, std::string> answers_;
    int last_ = 0;
};

class FakeControlClient : public ControlClient {
  public:
    std::map<std::string, std::string> answers;  // by request line
    std::optional<Error> problem;                // of every request
    std::vector<std::string> asked;

    Result<std::string> ask(const std::string& line, Deadline) override {
        asked.push_back(line);
        if (problem) return Failure(*problem);
        const auto found = answers.find(line);
        return found == answers.end() ? std::string(R"({"ok":false,"cause":"no such request"})") : found->second;
    }
};

}  // namespace diskless
