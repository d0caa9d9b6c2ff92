#include "admin/recorder.h"

#include <array>
#include <iterator>

namespace weir::admin {
namespace {

using broker::QueueCount;
using node::SessionCount;

template <typename Kind>
using Numbers = std::array<std::uint64_t, static_cast<std::size_t>(Kind::count)>;

template <typename Kind>
std::uint64_t& at(Numbers<Kind>& numbers, Kind kind) {
  return numbers[static_cast<std::size_t>(kind)];
}

Numbers<QueueSeries> queue_numbers(const node::QueueRow& row) {
  Numbers<QueueSeries> numbers{};
  at(numbers, QueueSeries::messages) = row.messages();
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

void add_deliveries(Numbers<TotalSeries>& numbers, const Counters<QueueCount>& counts) {
  at(numbers, TotalSeries::deliver) += counts[QueueCount::deliver];
  at(numbers, TotalSeries::deliver_no_ack) += counts[QueueCount::deliver_no_ack];
  at(numbers, TotalSeries::get) += counts[QueueCount::get];
  at(numbers, TotalSeries::get_no_ack) += counts[QueueCount::get_no_ack];
  at(numbers, TotalSeries::get_empty) += counts[QueueCount::get_empty];
  at(numbers, TotalSeries::ack) += counts[QueueCount::ack];
  at(numbers, TotalSeries::redeliver) += counts[QueueCount::redeliver];
}

void add_sessions(Numbers<TotalSeries>& numbers, const Counters<SessionCount>& counts) {
  at(numbers, TotalSeries::publish) += counts[SessionCount::received];
  at(numbers, TotalSeries::confirm) += counts[SessionCount::confirmed];
  at(numbers, TotalSeries::return_unroutable) += counts[SessionCount::unroutable_returned];
  at(numbers, TotalSeries::drop_unroutable) += counts[SessionCount::unroutable_dropped];
  at(numbers, TotalSeries::connection_created) += counts[SessionCount::connections_opened];
  at(numbers, TotalSeries::connection_closed) += counts[SessionCount::connections_closed];
  at(numbers, TotalSeries::channel_created) += counts[SessionCount::channels_opened];
  at(numbers, TotalSeries::channel_closed) += counts[SessionCount::channels_closed];
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

Numbers<TotalSeries> total_numbers(const node::Observed& seen) {
  Numbers<TotalSeries> numbers{};
  for (const node::VhostSums& vhost : seen.vhosts) {
    at(numbers, TotalSeries::messages) += vhost.ready + vhost.unacknowledged;
    at(numbers, TotalSeries::ready) += vhost.ready;
    at(numbers, TotalSeries::unacknowledged) += vhost.unacknowledged;
  }
  for (const node::ShardRow& shard : seen.shards) {
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

Recorder::Recorder(node::BrokerClient& client) : client_(client) { client_.timers().arm(timer_, 0); }

Recorder::~Recorder() { client_.timers().cancel(timer_); }

void Recorder::on_tick() {
  client_.timers().arm(timer_, history_interval_ms);
  const std::uint64_t now = now_ms();
  std::erase_if(queues_, [&](const auto& one) { return now - one.second.looked_at_ms > forget_after_ms; });
  record_totals();
  if (!queues_.empty()) record_queues();
}

void Recorder::record_totals() {
  node::ObserveScope scope;
  scope.sums = scope.shards = true;
  totals_question_ =
      client_.observe(scope, [this](node::Observed&& seen) { totals_.add(seen.at_ms, total_numbers(seen)); });
}

void Recorder::record_queues() {
  node::ObserveScope scope;
  scope.queues = true;
  for (const auto& [id, watched] : queues_) scope.only.push_back(id);
  queues_question_ = client_.observe(scope, [this](node::Observed&& seen) {
    for (const node::QueueRow& row : seen.queues) {
      const auto found = queues_.find(row.queue);
      if (found != queues_.end()) found->second.history.add(seen.at_ms, queue_numbers(row));
    }
  });
}

const History& Recorder::of_queue(QueueId queue) {
  const auto found = queues_.find(queue);
  if (found == queues_.end() && queues_.size() >= queues_max) return nothing_;
  Watched& watched = found == queues_.end() ? queues_[queue] : found->second;
  watched.looked_at_ms = now_ms();
  return watched.history;
}

}  // namespace weir::admin
