// What it is: keeps the history of the node, of virtual hosts, and of the queues and exchanges that something happens to. All of
// it is bounded (admin/histories.h).
// Shard: its BrokerClient's. Lifetime: the client outlives it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/histories.h"
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
enum class ExchangeSeries : std::uint8_t { publish_in, publish_out, count };
// Of the process and its machine.
enum class NodeSeries : std::uint8_t {
  mem_used,
  fd_used,
  sockets_used,
  proc_used,
  disk_free,
  context_switches,
  count,
};
// As the API has them: "messages_ready", "publish".
std::string_view name_of(TotalSeries series);
std::string_view name_of(QueueSeries series);
std::string_view name_of(ExchangeSeries series);
std::string_view name_of(NodeSeries series);

template <typename Kind>
using SeriesNumbers = std::array<std::uint64_t, static_cast<std::size_t>(Kind::count)>;

// What they are at this moment; of the totals, all but the messages, which the sums of virtual hosts tell.
SeriesNumbers<TotalSeries> total_numbers(const std::vector<node::ShardRow>& shards);
SeriesNumbers<QueueSeries> queue_numbers(const node::QueueRow& row);

class Recorder {
 public:
  using ExchangeKey = std::pair<std::string, std::string>;  // vhost, name

  static constexpr std::size_t queues_bytes_max = 64U << 20;
  static constexpr std::size_t exchanges_bytes_max = 8U << 20;
  static constexpr std::size_t vhosts_bytes_max = 8U << 20;
  static constexpr std::size_t rows_at_once = 512;  // that are recorded before others have their turn
  static constexpr unsigned ticks_per_look =
      12;  // between looks at the sums of queues that nothing happens to

  struct Surroundings {
    node::BrokerClient& client;
    // On a thread of its own, then `done`. False: too much is waiting.
    std::function<bool(std::function<void()> work, std::function<void()> done)> offload;
    // Any thread.
    std::function<SeriesNumbers<NodeSeries>()> measure;
  };
  explicit Recorder(Surroundings surroundings);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  // When it began: wall clock.
  std::uint64_t began_ms() const { return began_ms_; }
  const History& totals() const { return totals_; }
  const History& of_node() const { return *node_; }
  // Null: nothing has happened to it, or nothing for long.
  std::shared_ptr<const History> of_queue(QueueId queue) const { return queues_.find(queue); }
  std::shared_ptr<const History> of_exchange(const ExchangeKey& key) const { return exchanges_.find(key); }
  std::shared_ptr<const History> of_vhost(const std::string& vhost) const { return vhosts_.find(vhost); }

  std::size_t memory_bytes() const;

 private:
  void on_tick();
  void measure_node();
  void seen(node::Observed&& rows);
  void record_rows();
  void record_sums(const node::Observed& rows);
  void record_totals(std::uint64_t at_ms);
  void drop_gone();

  Surroundings at_;
  std::uint64_t began_ms_;
  unsigned ticks_ = 0;
  History totals_{static_cast<std::size_t>(TotalSeries::count)};
  std::shared_ptr<History> node_ = std::make_shared<History>(static_cast<std::size_t>(NodeSeries::count));
  Histories<QueueId> queues_{static_cast<std::size_t>(QueueSeries::count), queues_bytes_max};
  Histories<ExchangeKey> exchanges_{static_cast<std::size_t>(ExchangeSeries::count), exchanges_bytes_max};
  Histories<std::string> vhosts_{static_cast<std::size_t>(QueueSeries::count), vhosts_bytes_max};
  SeriesNumbers<TotalSeries> now_{};

  std::unique_ptr<node::Observing> rows_question_, sums_question_;
  node::Observed rows_;  // what is still to be recorded
  std::size_t row_ = 0;
  runtime::MethodTimer<Recorder, &Recorder::on_tick> timer_{*this};
  runtime::MethodTimer<Recorder, &Recorder::record_rows> rows_timer_{*this};
};

}  // namespace weir::admin
