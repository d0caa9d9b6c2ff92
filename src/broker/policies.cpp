#include "broker/policies.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "broker/pattern.h"

namespace weir::broker {

struct Policies::Entry {
  explicit Entry(const PolicyDefinition& from) : definition(from) {
    if (auto compiled = Pattern::compile(from.pattern)) pattern = std::move(*compiled);
  }
  bool matches(std::string_view name, unsigned target) const {
    return (static_cast<unsigned>(definition.targets) & target) != 0 && pattern && pattern->matches(name);
  }

  PolicyDefinition definition;
  std::optional<Pattern> pattern;
};

Policies::Policies() = default;
Policies::~Policies() = default;

void Policies::put(const PolicyDefinition& policy) {
  remove(policy.name, policy.of_operator);
  const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    const PolicyDefinition& other = entry->definition;
    return other.priority != policy.priority ? other.priority < policy.priority : policy.name < other.name;
  });
  entries_.insert(place, std::make_unique<Entry>(policy));
}

bool Policies::remove(std::string_view name, bool of_operator) {
  return std::erase_if(entries_, [&](const auto& entry) {
           return entry->definition.name == name && entry->definition.of_operator == of_operator;
         }) > 0;
}

const PolicyDefinition* Policies::find(std::string_view name, bool of_operator) const {
  for (const auto& entry : entries_) {
    if (entry->definition.name == name && entry->definition.of_operator == of_operator)
      return &entry->definition;
  }
  return nullptr;
}

const PolicyDefinition* Policies::match(std::string_view name, unsigned target, bool of_operator) const {
  for (const auto& entry : entries_) {
    if (entry->definition.of_operator == of_operator && entry->matches(name, target))
      return &entry->definition;
  }
  return nullptr;
}

// The bits of types and of targets are the same.
static_assert(static_cast<unsigned>(QueueType::classic) ==
              static_cast<unsigned>(PolicyTargets::classic_queues));
static_assert(static_cast<unsigned>(QueueType::quorum) ==
              static_cast<unsigned>(PolicyTargets::quorum_queues));
static_assert(static_cast<unsigned>(QueueType::stream) == static_cast<unsigned>(PolicyTargets::streams));

const PolicyDefinition* Policies::of_queue(std::string_view queue, QueueType type, bool of_operator) const {
  return match(queue, static_cast<unsigned>(type), of_operator);
}

const PolicyDefinition* Policies::of_exchange(std::string_view exchange, bool of_operator) const {
  return match(exchange, static_cast<unsigned>(PolicyTargets::exchanges), of_operator);
}

std::vector<const PolicyDefinition*> Policies::all() const {
  std::vector<const PolicyDefinition*> all;
  for (const auto& entry : entries_) all.push_back(&entry->definition);
  std::sort(all.begin(), all.end(), [](const PolicyDefinition* a, const PolicyDefinition* b) {
    return std::tie(a->of_operator, a->name) < std::tie(b->of_operator, b->name);
  });
  return all;
}

}  // namespace weir::broker
