// What it is: what a STOMP connection has begun and not finished: a message on its way in, transactions, receipts to be sent,
// large bodies on their way out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/chunk.h"
#include "node/session.h"
#include "protocol/common/unacked.h"
#include "protocol/stomp/destination.h"
#include "protocol/stomp/properties.h"

namespace weir::stomp {

struct Send {  // the SEND that is being handled
  Destination to;
  std::string exchange, routing_key;
  SendProperties properties;
  std::string transaction, receipt;
  std::string stored;
  std::vector<std::byte> extras;
  ChunkRef input;  // keeps the views of its frame
  bool large = false;
  node::BodyNumber body = node::no_body;  // of a large one
};
struct HeldSettlement {
  Unacked delivery;
  node::Outcome outcome{};
};
struct OpenTransaction {
  std::unique_ptr<node::Transaction> work;
  std::vector<HeldSettlement> settled;
};
struct Receipt {  // of what has to be safe first
  std::uint64_t seq = 0;
  std::string id;  // empty: nothing is said when it is
};

}  // namespace weir::stomp
