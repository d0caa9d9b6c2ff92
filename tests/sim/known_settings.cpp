#include "sim/known_settings.h"

#include <fmt/format.h>

#include "broker/tenant_limits.h"

namespace weir::sim {

namespace {

constexpr const char* names[] = {"p0", "p1", "p2", "max-queues", "max-bytes"};
constexpr std::int64_t limits_begin = 1'000'000'000;  // never reached

bool is_policy(const std::string& name) { return name.starts_with('p'); }

broker::Request request_of(const std::string& name, std::optional<std::int64_t> value) {
  if (!is_policy(name)) {
    if (!value) return broker::DeleteLimit{broker::LimitOf::vhost, "/", name};
    return broker::PutLimitRequest{{broker::LimitOf::vhost, "/", name, *value}};
  }
  if (!value) return broker::DeletePolicy{"/", name};
  broker::PolicyDefinition policy{
      .vhost = "/", .name = name, .pattern = "^no queue", .priority = *value, .definition = {}};
  policy.definition.set("max-length", {std::int64_t{1}});
  return broker::PutPolicyRequest{std::move(policy)};
}

}  // namespace

KnownSettings::Value KnownSettings::find(const broker::Topology& topology, const std::string& name) {
  if (!is_policy(name)) {
    const broker::LimitDefinition* const limit = topology.limits().find(broker::LimitOf::vhost, "/", name);
    return limit == nullptr ? Value() : limit->value;
  }
  const broker::PolicyDefinition* const policy = topology.find_policy("/", name, false);
  return policy == nullptr ? Value() : policy->priority;
}

void KnownSettings::act(node::SimNode& node) {
  if (!asked_.empty() || !rng_.chance(1, 100)) return;
  asked_ = names[rng_.below(std::size(names))];
  const bool is_there = known_[asked_].has_value();
  wanted_ =
      is_there && rng_.chance(1, 3) ? Value() : limits_begin + static_cast<std::int64_t>(rng_.below(1'000));
  node.turn(0, [&] {
    node.shard(0).administer(request_of(asked_, wanted_), [this](const Result<broker::Decision>& decision) {
      if (decision) known_[asked_] = wanted_;
      asked_.clear();
      ++answered_;
    });
  });
}

std::string KnownSettings::restarted(const broker::Topology& topology) {
  std::string wrong;
  for (const char* const name : names) {
    const Value found = find(topology, name);
    const bool as_known = found == known_[name], as_wanted = asked_ == name && found == wanted_;
    if (!as_known && !as_wanted)
      wrong = fmt::format("(b) setting '{}' is {} after a restart, was answered as {}", name,
                          found.value_or(-1), known_[name].value_or(-1));
    known_[name] = found;
  }
  asked_.clear();
  return wrong;
}

}  // namespace weir::sim
