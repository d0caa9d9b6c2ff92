// What it is: what a connection has sent by QoS 1 and 2 and the client has not settled, by packet identifier. Identifiers of a
// window that moves on cost O(1) each and no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/ids.h"
#include "node/session.h"

namespace weir::mqtt {

enum class Flight : std::uint8_t {
  none,       // nothing is sent by this identifier
  published,  // PUBLISH: waits for PUBACK, or PUBREC
  recording,  // PUBREC has come, and is being made durable
  released,   // PUBREL: waits for PUBCOMP
  ending,     // PUBCOMP has come, and is being made durable
};

struct InFlight {
  std::uint16_t packet_id = 0;
  Flight state = Flight::none;
  std::uint8_t qos = 0;
  bool lasts = false;   // released: by a mark
  bool marked = false;  // which is known
  node::ConsumerNumber consumer = node::no_consumer;
  QueueId queue;
  Seq seq;  // of the message; once it is released, of its mark
};

class PacketIds {
 public:
  std::size_t size() const { return count_; }
  InFlight* find(std::uint16_t id) {
    if (entries_.empty()) return nullptr;
    InFlight& entry = entries_[id & (entries_.size() - 1)];
    return entry.state != Flight::none && entry.packet_id == id ? &entry : nullptr;
  }
  // An identifier that is free, `wanted` if it is: always the same one for the same message.
  std::uint16_t choose(std::uint16_t wanted) {
    WEIR_ASSERT(count_ < ids_max);
    while (find(wanted) != nullptr) wanted = wanted == ids_max ? 1 : static_cast<std::uint16_t>(wanted + 1);
    return wanted;
  }
  // Of a free identifier. Valid until the next add.
  InFlight& add(const InFlight& flight) {
    WEIR_ASSERT(flight.state != Flight::none && flight.packet_id != 0);
    if (entries_.empty()) entries_.resize(entries_min);
    while (entries_[flight.packet_id & (entries_.size() - 1)].state != Flight::none) grow();
    ++count_;
    return entries_[flight.packet_id & (entries_.size() - 1)] = flight;
  }
  void remove(InFlight& flight) {
    flight.state = Flight::none;
    if (--count_ == 0 && entries_.size() > entries_kept) entries_ = {};
  }
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (InFlight& entry : entries_) {
      if (entry.state != Flight::none) visit(entry);
    }
  }
  void clear() {
    entries_ = {};
    count_ = 0;
  }

  static constexpr std::uint16_t ids_max = 65'535;

 private:
  static constexpr std::size_t entries_min = 16, entries_kept = 1'024;

  // Two identifiers that share a place have places of their own in a table that is large enough.
  void grow() {
    std::vector<InFlight> before = std::move(entries_);
    entries_ = std::vector<InFlight>(before.size() * 2);
    for (const InFlight& entry : before) {
      if (entry.state != Flight::none) entries_[entry.packet_id & (entries_.size() - 1)] = entry;
    }
  }

  std::vector<InFlight> entries_;  // a power of two
  std::size_t count_ = 0;
};

}  // namespace weir::mqtt
