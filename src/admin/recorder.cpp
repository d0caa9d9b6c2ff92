#include "admin/recorder.h"

#include <algorithm>
#include <iterator>

namespace weir::admin {
namespace {

using broker::QueueCount;
using node::SessionCount;

template <typename Kind>
std::uint64_t& at(SeriesNumbers<Kind>& numbers, Kind kind) {
  return numbers[static_cast<std::size_t>(kind)];
}

void add_deliveries(SeriesNumbers<TotalSeries>& numbers, const Counters<QueueCount>& counts) {
  at(numbers, TotalSeries::deliver) += counts[QueueCount::deliver];
  at(numbers, TotalSeries::deliver_no_ack) += counts[QueueCount::deliver_no_ack];
  at(numbers, TotalSeries::get) += counts[QueueCount::get];
  at(numbers, TotalSeries::get_no_ack) += counts[QueueCount::get_no_ack];
  at(numbers, TotalSeries::get_empty) += counts[QueueCount::get_empty];
  at(numbers, TotalSeries::ack) += counts[QueueCount::ack];
  at(numbers, TotalSeries::redeliver) += counts[QueueCount::redeliver];
}

void add_sessions(SeriesNumbers<TotalSeries>& numbers, const Counters<SessionCount>& counts) {
  at(numbers, TotalSeries::publish) += counts[SessionCount::received];
  at(numbers, TotalSeries::confirm) += counts[SessionCount::confirmed];
  at(numbers, TotalSeries::return_unroutable) += counts[SessionCount::unroutable_returned];
  at(numbers, TotalSeries::drop_unroutable) += counts[SessionCount::unroutable_dropped];
  at(numbers, TotalSeries::connection_created) += counts[SessionCount::connections_opened];
  at(numbers, TotalSeries::connection_closed) += counts[SessionCount::connections_closed];
  at(numbers, TotalSeries::channel_created) += counts[SessionCount::channels_opened];
  at(numbers, TotalSeries::channel_closed) += counts[SessionCount::channels_closed];
}

// Of a queue, or of a virtual host's queues together.
template <typename Row>
SeriesNumbers<QueueSeries> numbers_of(const Row& row) {
  SeriesNumbers<QueueSeries> numbers{};
  at(numbers, QueueSeries::messages) = row.ready + row.unacknowledged;
  at(numbers, QueueSeries::ready) = row.ready;
  at(numbers, QueueSeries::unacknowledged) = row.unacknowledged;
  at(numbers, QueueSeries::publish) = row.counts[QueueCount::publish];
  at(numbers, QueueSeries::deliver) = row.counts[QueueCount::deliver];
  at(numbers, QueueSeries::deliver_no_ack) = row.counts[QueueCount::deliver_no_ack];
  at(numbers, QueueSeries::get) = row.counts[QueueCount::get];
  at(numbers, QueueSeries::get_no_ack) = row.counts[QueueCount::get_no_ack];
  at(numbers, QueueSeries::get_empty) = row.counts[QueueCount::get_empty];
  at(numbers, QueueSeries::ack) = row.counts[QueueCount::ack];
  at(numbers, QueueSeries::redeliver) = row.counts[QueueCount::redeliver];
  return numbers;
}

}  // namespace

std::string_view name_of(TotalSeries series) {
  static constexpr std::string_view names[] = {
      "messages",
      "messages_ready",
      "messages_unacknowledged",
      "publish",
      "confirm",
      "return_unroutable",
      "drop_unroutable",
      "deliver",
      "deliver_no_ack",
      "get",
      "get_no_ack",
      "get_empty",
      "ack",
      "redeliver",
      "connection_created",
      "connection_closed",
      "channel_created",
      "channel_closed",
      "queue_declared",
      "queue_created",
      "queue_deleted",
  };
  static_assert(std::size(names) == static_cast<std::size_t>(TotalSeries::count));
  return names[static_cast<std::size_t>(series)];
}

std::string_view name_of(QueueSeries series) {
  static constexpr std::string_view names[] = {
      "messages", "messages_ready", "messages_unacknowledged",
      "publish",  "deliver",        "deliver_no_ack",
      "get",      "get_no_ack",     "get_empty",
      "ack",      "redeliver",
  };
  static_assert(std::size(names) == static_cast<std::size_t>(QueueSeries::count));
  return names[static_cast<std::size_t>(series)];
}

std::string_view name_of(ExchangeSeries series) {
  return series == ExchangeSeries::publish_in ? "publish_in" : "publish_out";
}

std::string_view name_of(NodeSeries series) {
  static constexpr std::string_view names[] = {"mem_used",  "fd_used",   "sockets_used",
                                               "proc_used", "disk_free", "context_switches"};
  static_assert(std::size(names) == static_cast<std::size_t>(NodeSeries::count));
  return names[static_cast<std::size_t>(series)];
}

SeriesNumbers<TotalSeries> total_numbers(const std::vector<node::ShardRow>& shards) {
  SeriesNumbers<TotalSeries> numbers{};
  for (const node::ShardRow& shard : shards) {
    for (const node::Traffic::OfProtocol& protocol : shard.traffic.by_protocol) {
      add_sessions(numbers, protocol.sessions);
      for (const auto& counts : protocol.deliveries) add_deliveries(numbers, counts);
    }
    at(numbers, TotalSeries::queue_declared) += shard.traffic.queues_declared;
    at(numbers, TotalSeries::queue_created) += shard.traffic.queues_created;
    at(numbers, TotalSeries::queue_deleted) += shard.traffic.queues_deleted;
  }
  return numbers;
}

SeriesNumbers<QueueSeries> queue_numbers(const node::QueueRow& row) { return numbers_of(row); }

Recorder::Recorder(Surroundings surroundings)
    : at_(std::move(surroundings)), began_ms_(at_.client.clock().wall_ms()) {
  at_.client.timers().arm(timer_, 0);
}

Recorder::~Recorder() {
  at_.client.timers().cancel(timer_);
  at_.client.timers().cancel(rows_timer_);
}

// Of queues, only those that something happens to are asked for.
void Recorder::on_tick() {
  at_.client.timers().arm(timer_, history_interval_ms);
  measure_node();
  node::ObserveScope scope;
  scope.queues = scope.moving = scope.exchanges = scope.shards = true;
  rows_question_ =
      at_.client.observe(std::move(scope), [this](node::Observed&& rows) { seen(std::move(rows)); });
}

void Recorder::measure_node() {
  const auto numbers = std::make_shared<SeriesNumbers<NodeSeries>>();
  at_.offload([numbers, measure = at_.measure] { *numbers = measure(); },
              [numbers, weak = std::weak_ptr(node_), &clock = at_.client.clock()] {
                if (const auto history = weak.lock()) history->add(clock.wall_ms(), *numbers);
              });
}

void Recorder::seen(node::Observed&& rows) {
  const std::uint64_t messages = at(now_, TotalSeries::messages), ready = at(now_, TotalSeries::ready),
                      unacknowledged = at(now_, TotalSeries::unacknowledged);
  now_ = total_numbers(rows.shards);
  at(now_, TotalSeries::messages) = messages;
  at(now_, TotalSeries::ready) = ready;
  at(now_, TotalSeries::unacknowledged) = unacknowledged;
  // Messages go without anybody doing anything to a queue, too: when their time is over.
  const bool look = !rows.queues.empty() || ticks_++ % ticks_per_look == 0;
  if (look) {
    node::ObserveScope scope;
    scope.sums = true;
    sums_question_ =
        at_.client.observe(std::move(scope), [this](node::Observed&& sums) { record_sums(sums); });
  } else {
    record_totals(rows.at_ms);
  }
  rows_ = std::move(rows);
  row_ = 0;
  record_rows();
}

void Recorder::record_rows() {
  std::size_t left = rows_at_once;
  const std::size_t queues = rows_.queues.size(), all = queues + rows_.exchanges.size();
  for (; left > 0 && row_ < all; --left, ++row_) {
    if (row_ < queues) {
      const node::QueueRow& row = rows_.queues[row_];
      queues_.add(row.queue, rows_.at_ms, queue_numbers(row));
      continue;
    }
    const node::ExchangeRow& row = rows_.exchanges[row_ - queues];
    const SeriesNumbers<ExchangeSeries> numbers{row.counts[node::ExchangeCount::publish_in],
                                                row.counts[node::ExchangeCount::publish_out]};
    exchanges_.add({row.vhost, row.name}, rows_.at_ms, numbers);
  }
  if (row_ < all) return at_.client.timers().arm(rows_timer_, 1);
  rows_ = {};
  row_ = 0;
  drop_gone();
}

void Recorder::drop_gone() {
  const broker::Topology& topology = at_.client.topology();
  queues_.sweep(rows_at_once, [&](QueueId id) { return topology.find_queue(id) == nullptr; });
  exchanges_.sweep(rows_at_once, [&](const ExchangeKey& key) {
    return topology.find_exchange(key.first, key.second) == nullptr;
  });
  vhosts_.sweep(rows_at_once, [&](const std::string& name) { return topology.find_vhost(name) == nullptr; });
}

void Recorder::record_sums(const node::Observed& sums) {
  std::uint64_t ready = 0, unacknowledged = 0;
  for (const node::VhostSums& vhost : sums.vhosts) {
    ready += vhost.ready;
    unacknowledged += vhost.unacknowledged;
    vhosts_.add(vhost.name, sums.at_ms, numbers_of(vhost));
  }
  at(now_, TotalSeries::messages) = ready + unacknowledged;
  at(now_, TotalSeries::ready) = ready;
  at(now_, TotalSeries::unacknowledged) = unacknowledged;
  record_totals(sums.at_ms);
}

void Recorder::record_totals(std::uint64_t at_ms) { totals_.add(at_ms, now_); }

std::size_t Recorder::memory_bytes() const {
  return totals_.memory_bytes() + node_->memory_bytes() + queues_.memory_bytes() + exchanges_.memory_bytes() +
         vhosts_.memory_bytes();
}

}  // namespace weir::admin
