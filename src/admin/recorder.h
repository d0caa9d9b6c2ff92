// What it is: keeps the history of the node's sums, always, and that of queues, for as long as somebody looks at it: it begins
// with the first look, and ends some minutes after the last one. Both are bounded.
// Shard: its BrokerClient's. Lifetime: the client outlives it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "admin/history.h"
#include "base/ids.h"
#include "node/observe.h"
#include "node/session.h"
#include "runtime/timers.h"

namespace weir::admin {

// Of the node. Those behind `unacknowledged` only grow.
enum class TotalSeries : std::uint8_t {
  messages,
  ready,
  unacknowledged,
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
  connection_created,
  connection_closed,
  channel_created,
  channel_closed,
  queue_declared,
  queue_created,
  queue_deleted,
  count,
};
// Of a queue.
enum class QueueSeries : std::uint8_t {
  messages,
  ready,
  unacknowledged,
  publish,
  deliver,
  deliver_no_ack,
  get,
  get_no_ack,
  get_empty,
  ack,
  redeliver,
  count,
};
// As the API has them: "messages_ready", "publish".
std::string_view name_of(TotalSeries series);
std::string_view name_of(QueueSeries series);

// What the totals are at this moment.
std::array<std::uint64_t, static_cast<std::size_t>(TotalSeries::count)> total_numbers(
    const node::Observed& sums_and_shards);

class Recorder {
 public:
  static constexpr std::size_t queues_max = 256;  // that somebody looks at
  static constexpr std::uint64_t forget_after_ms = 600'000;

  explicit Recorder(node::BrokerClient& client);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  const History& totals() const { return totals_; }
  // Of one that somebody looks at now; empty at first, and where too many are looked at.
  const History& of_queue(QueueId queue);

 private:
  struct Watched {
    History history{static_cast<std::size_t>(QueueSeries::count)};
    std::uint64_t looked_at_ms = 0;  // monotonic
  };
  void on_tick();
  void record_totals();
  void record_queues();
  std::uint64_t now_ms() const { return client_.clock().monotonic_ns() / 1'000'000; }

  node::BrokerClient& client_;
  History totals_{static_cast<std::size_t>(TotalSeries::count)};
  const History nothing_{static_cast<std::size_t>(QueueSeries::count)};
  std::map<QueueId, Watched> queues_;
  std::unique_ptr<node::Observing> totals_question_, queues_question_;
  runtime::MethodTimer<Recorder, &Recorder::on_tick> timer_{*this};
};

}  // namespace weir::admin
