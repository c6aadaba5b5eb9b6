#include "init/child_work.hpp"

namespace diskless {

Result<> do_in_child(Processes& processes, const std::string& what, Deadline deadline,
                     const std::function<Result<>()>& work) {
    auto done = processes.in_child(what, deadline, [&work]() -> Result<std::string> {
        if (auto result = work(); !result) return Failure(std::move(result.error()));
        return std::string();
    });
    if (!done) return Failure(std::move(done.error()));
    return {};
}

}  // namespace diskless
