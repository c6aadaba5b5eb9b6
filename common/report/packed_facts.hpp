// What became of state entries as strings, for pack(): a child that mounts them hands them to its parent so.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/report/boot_report.hpp"

namespace diskless {

inline constexpr std::size_t kStringsOfFact = 5;

/// kStringsOfFact strings for each.
void append_facts(std::vector<std::string>& strings, const std::vector<StateFacts>& facts);
/// And back; strings that do not make a whole fact are left out.
std::vector<StateFacts> facts_of(std::span<const std::string> strings);

}  // namespace diskless
