#include "cli/store_names.h"

#include <fmt/format.h>

namespace weir::cli {
namespace {

constexpr const char* recovered_vhost = "/";
// Without any user a server makes its defaults if this one is there and has no permission yet.
constexpr const char* default_user = "guest";

}  // namespace

void StoreNames::take(Bytes changes) {
  const auto decoded = broker::decode_changes(changes);
  if (!decoded) {
    ++unreadable_;
    return;
  }
  for (const broker::Change& change : *decoded) topology_.apply(change);
}

std::string StoreNames::of(QueueId queue) const {
  if (queue == bodies_queue) return "the pieces of large bodies";
  const broker::QueueDefinition* const definition = find(queue);
  if (definition == nullptr) return fmt::format("queue {}, which is not defined", queue.value);
  const bool delays = definition->role == broker::QueueRole::delays;
  return fmt::format("{} '{}' in vhost '{}'", delays ? "what waits at exchange" : "queue", definition->name,
                     definition->vhost);
}

std::vector<std::byte> with_recovered_queues(std::vector<std::byte> contents,
                                             const std::vector<std::pair<QueueId, ShardId>>& with_messages,
                                             QueueId highest) {
  StoreNames names;
  names.take(contents);
  if (names.unreadable() > 0) return contents;
  const broker::Topology& topology = names.topology();
  const auto add = [&contents](const broker::Change& change) { broker::encode_change(change, contents); };
  std::string vhost = recovered_vhost;
  if (topology.vhosts().empty()) {
    add(broker::PutVhost{{vhost, "Default virtual host"}});
  } else if (topology.find_vhost(vhost) == nullptr) {
    vhost = topology.vhosts().front()->name;
  }
  if (topology.users().empty()) add(broker::PutUser{{default_user, "", {}}});
  for (const auto& [queue, shard] : with_messages) {
    if (names.knows(queue)) continue;
    broker::QueueDefinition definition;
    definition.vhost = vhost;
    definition.name = fmt::format("recovered-{}", queue.value);
    definition.id = queue;
    definition.shard = shard;
    definition.durable = true;
    add(broker::PutQueue{std::move(definition)});
  }
  const std::uint32_t block = highest.value / broker::queue_id_lanes + 1;
  for (std::uint32_t lane = 0; lane < broker::queue_id_lanes; ++lane) {
    const QueueId next{block * broker::queue_id_lanes + lane};
    if (topology.next_queue_id(lane) < next) add(broker::SetNextQueueId{next});
  }
  return contents;
}

}  // namespace weir::cli
