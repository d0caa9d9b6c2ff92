// What it is: a walk over the messages of a queue, in the order in which they came, whatever their state: those that pass a
// test are shown, taken out one after the other, or removed. A walk costs a bounded part of each turn of the queue's shard,
// and ends where its bounds say; the next one goes on there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/chunk.h"
#include "base/ids.h"
#include "broker/message.h"
#include "broker/topology.h"
#include "node/session.h"

namespace weir::node {

enum class MessageState : std::uint8_t {
  ready,
  unacknowledged,
  held,  // it is delayed, or on its way to a dead-letter exchange
};

// Given by whoever asks, and never changed: it is called on the queue's shard.
class MessageTest {
 public:
  enum class Verdict : std::uint8_t {
    no,
    yes,
    unread,  // it is about the body, which is not looked into: it is too large
  };
  virtual ~MessageTest() = default;
  // `body_is_here`: false of a large one, of which nothing is in the message.
  virtual Verdict test(const broker::StoredMessage& message, bool body_is_here, bool redelivered,
                       broker::HeaderSource& headers) const = 0;
};

struct WalkFrom {
  enum class At : std::uint8_t {
    first,
    last,  // so many from the end
    seq,   // this one, or the first behind it
    time,  // the first that was received then or later: Unix ms
    next,  // what is there is passed over
  };
  At at = At::first;
  std::uint64_t value = 0;
};

struct WalkOptions {
  enum class Do : std::uint8_t {
    show,    // nothing changes
    take,    // those that are ready are out to the session until it settles them (as of no consumer)
    remove,  // those that are ready are settled; the answer comes when that is durable
  };
  std::string queue;
  std::optional<QueueId> only;  // not another one of that name
  Do what = Do::show;
  WalkFrom from;
  std::optional<Seq> until;                    // before it; none: what is there at the start
  std::uint64_t received_max_ms = UINT64_MAX;  // it ends before the first that was received later
  std::shared_ptr<const MessageTest> test;     // null: all pass
  bool count_only = false;                     // what passes is not brought along
  // Bounds. What was begun is finished: a message more than the bytes say may come.
  std::uint64_t found_max = 0;       // 0: none
  std::uint64_t looked_at_max = 0;   // 0: none
  std::uint64_t read_bytes_max = 0;  // of messages that are looked at; 0: none
  std::uint64_t brought_bytes_max = 4U << 20;
  std::uint64_t time_max_ms = 0;              // 0: none
  std::uint64_t body_bytes_max = UINT64_MAX;  // of a body that is shown: the rest is cut off
};

struct WalkedMessage {
  Seq seq;
  MessageState state = MessageState::ready;
  bool redelivered = false;
  std::uint16_t returns = 0;
  const std::byte* envelope = nullptr;  // in `chunk`, which is a copy
  ChunkRef chunk;
  std::uint64_t body_bytes = 0;  // of the whole body
  // Of a large one: to be read and closed like that of a delivery.
  BodyNumber body = no_body;

  broker::StoredMessage message() const { return broker::view_envelope(envelope); }
};

struct Walked {
  ShardId from;
  QueueId queue;
  WalkOptions::Do what = WalkOptions::Do::show;
  std::vector<WalkedMessage> messages;
  Seq next, until;   // it goes on there
  bool done = true;  // there is nothing more before `until`
  std::uint64_t looked_at = 0, found = 0, read_bytes = 0;
  std::uint64_t bodies_unread = 0;   // that were about the body, and too large
  std::uint64_t unreadable = 0;      // damaged: passed over
  std::uint64_t messages_there = 0;  // in the queue when it began
};

}  // namespace weir::node
