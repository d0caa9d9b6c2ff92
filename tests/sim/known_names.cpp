#include "sim/known_names.h"

#include <fmt/format.h>

namespace weir::sim {

bool name_lasts(const std::string& name) {
  return name.starts_with("amq.") || name[0] == 'd' || name[0] == 'a' || name[0] == 'X';
}

namespace {

// Of an auto-delete queue nobody knows whether it is still there.
bool goes_by_itself(const std::string& queue) { return queue[0] == 'a'; }

}  // namespace

void KnownNames::set_exchange(const std::string& name, Is is) {
  exchanges_[name] = is;
  if (is == Is::present) return;
  for (auto& [binding, known] : bindings_) {
    if (binding.exchange == name && known != Is::absent) known = is;
  }
}

void KnownNames::set_queue(const std::string& name, Is is) {
  queues_[name] = is;
  if (is == Is::present) return;
  for (auto& [binding, known] : bindings_) {
    if (binding.queue == name && known != Is::absent) known = is;
  }
}

std::string KnownNames::judge(const broker::Topology& topology) {
  const auto settle = [](Is& known, bool there, const std::string& what) -> std::string {
    if (known == Is::unsure) known = there ? Is::present : Is::absent;
    if ((known == Is::present) == there) return {};
    return fmt::format("(e) {} is {}, against what its client was told", what, there ? "there" : "not there");
  };
  std::string wrong;
  const auto note = [&](std::string what) {
    if (wrong.empty()) wrong = std::move(what);
  };
  for (auto& [name, known] : exchanges_) {
    note(settle(known, topology.find_exchange("/", name) != nullptr, "exchange " + name));
  }
  for (auto& [name, known] : queues_) {
    if (goes_by_itself(name)) continue;
    note(settle(known, topology.find_queue("/", name) != nullptr, "queue " + name));
  }
  for (auto& [name, known] : bindings_) {
    if (goes_by_itself(name.queue)) continue;
    const broker::BindingDefinition binding{"/",        name.exchange, broker::DestinationKind::queue,
                                            name.queue, name.key,      {}};
    note(settle(known, topology.has_binding(binding),
                fmt::format("binding {} -> {} by '{}'", name.exchange, name.queue, name.key)));
  }
  for (const broker::BindingDefinition& binding : topology.bindings("/")) {
    if (binding.source.empty()) continue;
    if (!bindings_.contains({binding.source, binding.destination, binding.routing_key})) {
      note(fmt::format("(e) binding {} -> {} was never asked for", binding.source, binding.destination));
    }
  }
  return wrong;
}

std::string KnownNames::restarted(const broker::Topology& topology) {
  for (auto& [name, known] : exchanges_) {
    if (!name_lasts(name)) known = Is::absent;
  }
  for (auto& [name, known] : queues_) {
    if (!name_lasts(name)) known = Is::absent;
  }
  for (auto& [name, known] : bindings_) {
    if (!name.lasts()) known = Is::absent;
  }
  return judge(topology);
}

namespace {

std::vector<std::string> names_of(const broker::Topology& topology) {
  std::vector<std::string> names;
  for (const broker::ExchangeDefinition* exchange : topology.exchanges("/"))
    names.push_back("x " + exchange->name);
  for (const broker::QueueDefinition* queue : topology.queues("/")) {
    names.push_back(fmt::format("q {} {} on {}", queue->name, queue->id.value, queue->shard.value));
  }
  for (const broker::BindingDefinition& binding : topology.bindings("/")) {
    names.push_back(fmt::format("b {} {} {}", binding.source, binding.destination, binding.routing_key));
  }
  return names;
}

}  // namespace

std::string check_agreement(node::SimNode& node) {
  const std::vector<std::string> first = names_of(node.shard(0).topology());
  for (std::uint16_t shard = 1; shard < node.shards(); ++shard) {
    if (names_of(node.shard(shard).topology()) != first) {
      return fmt::format("(e) shard {} has other definitions than shard 0", shard);
    }
  }
  return {};
}

}  // namespace weir::sim
