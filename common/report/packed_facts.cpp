#include "common/report/packed_facts.hpp"

#include "common/base/text.hpp"

namespace diskless {

void append_facts(std::vector<std::string>& strings, const std::vector<StateFacts>& facts) {
    for (const auto& fact : facts)
        for (const auto& field : {fact.path, fact.kind, fact.source, std::to_string(fact.bytes), fact.problem})
            strings.push_back(field);
}

std::vector<StateFacts> facts_of(std::span<const std::string> strings) {
    std::vector<StateFacts> facts;
    for (; strings.size() >= kStringsOfFact; strings = strings.subspan(kStringsOfFact))
        facts.push_back(
            {strings[0], strings[1], strings[2], parse_number<std::uint64_t>(strings[3]).value_or(0), strings[4]});
    return facts;
}

}  // namespace diskless
