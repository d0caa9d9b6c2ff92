// What it is: a message on its way to several queues, of which some want to know more of it than others: of which group it
// is there, or until when it is to wait. Each of those gets a copy with extras of its own; the others share one.
// Shard: whoever publishes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "broker/message.h"
#include "broker/topology.h"

namespace weir::node {

class QueueHost;

struct MessageToShare {
  const broker::IncomingMessage& message;
  broker::HeaderSource* headers;  // may be null
  QueueHost& clock;
};

// The extras that the queue wants the message to have.
std::vector<std::byte> extras_for(const broker::Topology& topology, const MessageToShare& of,
                                  const broker::Target& target);

// Calls send(message, targets) for each share. `targets` are grouped by shard, and so are those of each share.
template <typename Send>
void send_shares(const broker::Topology& topology, const MessageToShare& of,
                 std::span<const broker::Target> targets, Send&& send) {
  const auto particular = [](const broker::Target& to) { return to.particular(); };
  if (std::none_of(targets.begin(), targets.end(), particular)) [[likely]]
    return send(of.message, targets);
  std::vector<broker::Target> others;
  for (const broker::Target& target : targets) {
    if (!target.particular()) {
      others.push_back(target);
      continue;
    }
    const std::vector<std::byte> extras = extras_for(topology, of, target);
    broker::IncomingMessage own = of.message;
    own.extras = extras;
    send(own, std::span(&target, 1));
  }
  if (!others.empty()) send(of.message, std::span<const broker::Target>(others));
}

}  // namespace weir::node
