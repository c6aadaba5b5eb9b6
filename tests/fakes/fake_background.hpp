// Children that run when the test lets them: each hangs until it is released, or runs at once.
#pragma once

#include <memory>
#include <vector>

#include "common/os/background.hpp"

namespace diskless {

class FakeBackground : public Background {
  public:
    bool hang = false;       // children started from now on do not get on
    int hang_next = 0;       // so many of those that are started next do not get on
    bool no_memory = false;  // none can be started
    int started = 0;
    int alive = 0;

    /// All that hang go on now.
    void release() {
        hang = false;
        hang_next = 0;
        for (auto* child : hanging_) child->run();
        hanging_.clear();
    }

    Result<std::unique_ptr<BackgroundChild>> start(const std::function<Result<std::string>()>& work) override {
        if (no_memory) return fail_errno("fork", ENOMEM);
        ++started;
        auto child = std::make_unique<Child>(*this, work);
        if (hang || hang_next-- > 0)
            hanging_.push_back(child.get());
        else
            child->run();
        return std::unique_ptr<BackgroundChild>(std::move(child));
    }

    void collect() override { ++collected; }
    int collected = 0;

  private:
    class Child : public BackgroundChild {
      public:
        Child(FakeBackground& owner, std::function<Result<std::string>()> work)
            : owner_(owner), work_(std::move(work)) {
            ++owner_.alive;
        }
        ~Child() override {
            --owner_.alive;
            std::erase(owner_.hanging_, this);
        }
        void run() { result_ = work_(); }
        const std::optional<Result<std::string>>& result() override { return result_; }

      private:
        FakeBackground& owner_;
        std::function<Result<std::string>()> work_;
        std::optional<Result<std::string>> result_;
    };
    std::vector<Child*> hanging_;
};

}  // namespace diskless
