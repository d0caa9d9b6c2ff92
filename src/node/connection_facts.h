// What it is: what a front-end tells of its connection and its channels to those who watch the broker: protocol-neutral, by
// value, asked for when somebody looks (SessionEvents::describe).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counters.h"
#include "base/ids.h"

namespace weir::node {

enum class ConnectionCount : std::uint8_t {
  recv_oct,  // bytes
  recv_cnt,  // reads that brought some
  send_oct,
  send_cnt,  // writes
  count,
};

// Messages, since the channel was opened.
enum class ChannelCount : std::uint8_t {
  publish,
  confirm,
  return_unroutable,
  drop_unroutable,
  deliver,
  deliver_no_ack,
  get,
  get_no_ack,
  get_empty,
  ack,
  redeliver,
  count,
};

struct ConnectionFacts {
  std::string_view state = "running";  // a constant: "running", "flow", "blocking", "blocked", "closing"
  std::uint32_t frame_max = 0;
  std::uint32_t channel_max = 0;
  std::uint32_t timeout_s = 0;  // of heartbeats; 0: none
  std::size_t channels = 0;
  std::size_t unsent_bytes = 0;
  Counters<ConnectionCount> counts;
  Rates<ConnectionCount> rates;
};

// A protocol without channels tells one, with the number 1.
struct ChannelRow {
  SessionId session;  // filled in by who asked
  std::uint32_t number = 0;
  std::string_view state = "running";  // a constant; "flow": its publishes wait
  std::uint32_t prefetch = 0;          // of each consumer that is made now
  std::uint32_t global_prefetch = 0;   // of all consumers together
  bool confirms = false, transactional = false;
  std::uint64_t unacknowledged = 0, unconfirmed = 0, uncommitted = 0, acks_uncommitted = 0;
  std::uint32_t consumers = 0;
  std::uint64_t idle_since_ms = 0;  // wall clock; 0: it is not idle
  Counters<ChannelCount> counts;
  Rates<ChannelCount> rates;
};

}  // namespace weir::node
