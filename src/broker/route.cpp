// What it is: where a message goes: Topology::route().
#include <fmt/format.h>

#include "base/limits.h"
#include "broker/texts.h"
#include "broker/topology.h"
#include "broker/topology_state.h"

namespace weir::broker {

namespace {

std::unexpected<Error> too_far(const ExchangeDefinition& exchange, std::string_view what, std::size_t limit) {
  return fail(
      ErrorCode::limit_exceeded,
      fmt::format("a message to {} reaches more than {} {}",
                  resource_text(DestinationKind::exchange, exchange.vhost, exchange.name), limit, what));
}

}  // namespace

Status Topology::route(std::string_view vhost_name, std::string_view exchange_name,
                       std::string_view routing_key, HeaderSource& headers, bool exclude_internal,
                       std::vector<Target>& targets) const {
  const State& state = *state_;
  const Vhost* const vhost = state.find_vhost(vhost_name);
  if (vhost == nullptr) return no_such(DestinationKind::exchange, vhost_name, exchange_name);
  if (exchange_name.empty()) {
    if (const QueueNode* queue = vhost->find_queue(routing_key)) targets.push_back(queue->target);
    return {};
  }
  const Exchange* const first = vhost->find_exchange(exchange_name);
  if (first == nullptr) return no_such(DestinationKind::exchange, vhost_name, exchange_name);
  if (exclude_internal && first->definition().internal) {
    return fail(
        ErrorCode::access_refused,
        "cannot publish to internal " + resource_text(DestinationKind::exchange, vhost_name, exchange_name));
  }

  // Everything that this routing reaches is marked with its number, so that it is reached once.
  const std::uint64_t routing = ++state.routing;
  const std::size_t targets_before = targets.size();
  std::size_t hops = 0;
  const auto reach_queue = [&](const QueueNode& queue) {
    if (queue.reached == routing) return;
    queue.reached = routing;
    targets.push_back(queue.target);
  };
  bool too_many_hops = false;
  const auto reach_exchange = [&](const Exchange& exchange) {
    if (exchange.reached == routing) return;
    exchange.reached = routing;
    if (hops > limits::exchange_hops_max) {
      too_many_hops = true;
      return;
    }
    state.steps.push_back({&exchange, hops});
  };

  state.steps.clear();
  reach_exchange(*first);
  for (std::size_t i = 0; i < state.steps.size(); ++i) {
    const Exchange& exchange = *state.steps[i].exchange;
    hops = state.steps[i].hops + 1;
    if (const Destination* room = exchange.waiting_room(headers)) {
      reach_queue(static_cast<const QueueNode&>(*room));
      continue;
    }
    if (const Destination* history = exchange.history(headers))
      reach_queue(static_cast<const QueueNode&>(*history));
    bool matched = false;
    exchange.match(routing_key, headers, [&](const Binding& binding) {
      matched = true;
      const Destination& destination = *binding.destination;
      if (destination.kind == DestinationKind::queue)
        return reach_queue(static_cast<const QueueNode&>(destination));
      reach_exchange(static_cast<const Exchange&>(destination));
    });
    if (!matched && exchange.alternate() != nullptr) {
      if (exchange.alternate()->empty()) {
        if (const QueueNode* queue = vhost->find_queue(routing_key)) reach_queue(*queue);
      } else if (const Exchange* alternate = vhost->find_exchange(*exchange.alternate())) {
        reach_exchange(*alternate);
      }
    }
  }
  if (too_many_hops) {
    targets.resize(targets_before);
    return too_far(first->definition(), "exchanges in a row", limits::exchange_hops_max);
  }
  if (targets.size() - targets_before > limits::fan_out_max) {
    targets.resize(targets_before);
    return too_far(first->definition(), "queues", limits::fan_out_max);
  }
  return {};
}

}  // namespace weir::broker
