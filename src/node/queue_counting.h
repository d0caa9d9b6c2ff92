// What it is: the part of QueueHost (node/queue_host.h) that counts what happens to messages, a few additions each, to be
// inlined where it happens.
#pragma once

#include <algorithm>

#include "node/queue_host.h"

namespace weir::node {

// A large body that has broken counts for less than it did.
inline std::uint64_t less_bytes(std::uint64_t from, std::uint64_t bytes) {
  return from - std::min(from, bytes);
}

inline std::uint64_t QueueHost::kept_bytes(const broker::Entry& entry, std::uint64_t pieces_end) {
  if (entry.transient()) return TransientStore::bytes(entry.reference());
  const std::uint64_t bytes = storage::Location::from_packed(entry.reference()).bytes();
  return pieces_end == 0 ? bytes : bytes + bodies_.bytes(pieces_end);
}

inline void QueueHost::count_pushed(broker::Queue& queue, Seq seq, const broker::Entry& entry,
                                    std::uint64_t pieces_end) {
  broker::QueueUse& use = use_of(queue);
  ++use.counts[broker::QueueCount::publish];
  broker::QueueUse::Kept& kept = use.kept[entry.transient() ? 1 : 0];
  ++kept.messages;
  kept.bytes += kept_bytes(entry, pieces_end);
  if (queue.total() > 0) return;
  use.known = seq;
  use.known_ms = wall_ms_;
}

inline void QueueHost::count_delivered(broker::Queue& queue, const broker::Queue::Head& head,
                                       SessionId session, broker::QueueCount as) {
  broker::QueueUse& use = use_of(queue);
  use.out_bytes += kept_bytes(head.entry, queue.pieces_end(head.seq));
  auto& of_protocol =
      traffic_->of(protocol_of(session)).deliveries[static_cast<std::size_t>(queue.options().kind)];
  ++use.counts[as];
  ++of_protocol[as];
  if (!head.entry.redelivered()) [[likely]]
    return;
  ++use.counts[broker::QueueCount::redeliver];
  ++of_protocol[broker::QueueCount::redeliver];
}

inline void QueueHost::count_out(broker::Queue& queue, Seq seq, const broker::Entry& entry, bool out) {
  std::uint64_t& bytes = use_of(queue).out_bytes;
  const std::uint64_t of_message = kept_bytes(entry, queue.pieces_end(seq));
  bytes = out ? bytes + of_message : less_bytes(bytes, of_message);
}

inline void QueueHost::count_acked(broker::Queue& queue, SessionId session, std::uint64_t messages) {
  use_of(queue).counts[broker::QueueCount::ack] += messages;
  traffic_->of(protocol_of(session))
      .deliveries[static_cast<std::size_t>(queue.options().kind)][broker::QueueCount::ack] += messages;
}

inline void QueueHost::count_settled(broker::Queue& queue, const broker::Entry& entry,
                                     std::uint64_t pieces_end) {
  broker::QueueUse& use = use_of(queue);
  const std::uint64_t bytes = kept_bytes(entry, pieces_end);
  broker::QueueUse::Kept& kept = use.kept[entry.transient() ? 1 : 0];
  --kept.messages;
  kept.bytes = less_bytes(kept.bytes, bytes);
  if (entry.state() == broker::EntryState::out) use.out_bytes = less_bytes(use.out_bytes, bytes);
}

}  // namespace weir::node
