// What it is: what a channel in transactional mode keeps until tx.commit or tx.rollback, besides what the broker holds for
// it: the deliveries that were settled, which a rollback gives back, and the messages to be returned.
// Lifetime: of its channel; ends before the channel's session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "node/session.h"
#include "protocol/common/unacked.h"

namespace weir::amqp091 {

// A mandatory message that no queue takes.
struct ReturnedContent {
  std::string exchange, routing_key;
  std::vector<std::byte> properties{}, body{};

  std::size_t bytes() const { return sizeof(*this) + properties.size() + body.size(); }
};

struct ChannelTransaction {
  std::unique_ptr<node::Transaction> work;
  std::uint64_t published = 0;  // messages that it holds
  std::vector<Unacked> settled;
  std::uint64_t oldest_settled = UINT64_MAX;  // delivery tag
  std::vector<ReturnedContent> returned;
  std::size_t returned_bytes = 0;
  std::uint64_t commits = 0;  // asked for, and the seq of the last of them
  std::uint64_t told = 0;     // answered
};

}  // namespace weir::amqp091
