#include "common/plan/step.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "common/base/text.hpp"

namespace diskless {

Milliseconds backoff_delay(const Retry& retry, int n, std::uint64_t random) {
    const auto doubled = retry.first * (std::int64_t{1} << std::min(n, 20));
    const auto longest = std::min<Milliseconds>(retry.cap, doubled);
    return Milliseconds(static_cast<std::int64_t>(random % static_cast<std::uint64_t>(longest.count() + 1)));
}

namespace {

/// The steps in an order in which each comes after what it needs; steps of a cycle are left out.
std::vector<const Step*> startable_order(const Plan& plan) {
    std::vector<const Step*> order;
    std::set<std::string_view> placed;
    for (bool progress = true; progress;) {
        progress = false;
        for (const auto& step : plan) {
            if (placed.contains(step.id)) continue;
            if (!std::ranges::all_of(step.needs, [&](const auto& need) { return placed.contains(need); })) continue;
            order.push_back(&step);
            placed.insert(step.id);
            progress = true;
        }
    }
    return order;
}

}  // namespace

std::vector<std::string> problems_of(const Plan& plan) {
    std::vector<std::string> problems;
    std::set<std::string_view> ids;
    for (const auto& step : plan)
        if (!ids.insert(step.id).second) problems.push_back(fmt::format("step {} is there twice", step.id));
    for (const auto& step : plan)
        for (const auto& need : step.needs)
            if (!ids.contains(need))
                problems.push_back(fmt::format("step {} needs {}, which is no step", step.id, need));
    if (problems.empty() && startable_order(plan).size() != plan.size())
        problems.emplace_back("steps need one another in a circle");
    return problems;
}

std::string describe(const Plan& plan) {
    std::size_t width = 0;
    for (const auto& step : plan) width = std::max(width, step.id.size());
    std::string text;
    for (const auto* step : startable_order(plan))
        text += fmt::format("{:<{}}  {}{}\n", step->id, width, step->sentence,
                            step->needs.empty() ? "" : fmt::format("  (after {})", join(step->needs, ", ")));
    return text;
}

}  // namespace diskless
