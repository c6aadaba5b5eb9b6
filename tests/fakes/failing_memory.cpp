#include "tests/fakes/failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local bool counting = false;
thread_local long seen_so_far = 0, first_to_fail = 0, last_to_fail = 0;

void* allocate(std::size_t size) {
    if (counting) {
        ++seen_so_far;
        if (seen_so_far >= first_to_fail && seen_so_far <= last_to_fail) throw std::bad_alloc();
    }
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

}  // namespace

// The others of the standard library call these.
void* operator new(std::size_t size) { return allocate(size); }
// std::stable_sort asks by this one; the sanitizers' own would not match our delete
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return allocate(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace diskless {

FailingMemory::FailingMemory(long first, long count) noexcept {
    seen_so_far = 0;
    first_to_fail = first;
    last_to_fail = first == 0 ? -1 : first + count - 1;
    counting = true;
}
FailingMemory::~FailingMemory() { counting = false; }
long FailingMemory::seen() const noexcept { return seen_so_far; }
bool FailingMemory::is_over() const noexcept { return seen_so_far >= last_to_fail; }

FailingMemory::Pause::Pause() noexcept : before_(counting) { counting = false; }
FailingMemory::Pause::~Pause() { counting = before_; }

}  // namespace diskless
