// operator new that fails when told to: which allocation of this thread, and how many after it.
#pragma once

namespace diskless {

/// While it lives, the `first`-th allocation of this thread (1: the next one) throws std::bad_alloc, and so do those
/// after it, `count` in all. 0 as `first`: none, they are only counted.
class FailingMemory {
  public:
    explicit FailingMemory(long first, long count = 1) noexcept;
    ~FailingMemory();
    FailingMemory(const FailingMemory&) = delete;
    FailingMemory& operator=(const FailingMemory&) = delete;
    /// Allocations since it was made, those that failed among them.
    long seen() const noexcept;
    /// Have all that were to fail done so?
    bool is_over() const noexcept;

    /// While it lives, memory is there: for the test's own bookkeeping.
    class Pause {
      public:
        Pause() noexcept;
        ~Pause();
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

      private:
        bool before_;
    };
};

}  // namespace diskless
