// What is told of a connection and its channels: to those who look at them (node/observe.h), and to the log.
#include <utility>

#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

void Connection::describe(node::ConnectionFacts& facts, std::vector<node::ChannelRow>* channels) const {
  describe_traffic(facts);
  facts.frame_max = frame_max_;
  facts.channel_max = channel_max_;
  facts.timeout_s = heartbeat_s_;
  facts.channels = channels_.size();
  if (channels == nullptr) return;
  for (const auto& [number, channel] : channels_) channels->push_back(channel->describe());
}

void Connection::count_messages(const Channel& channel) {
  using Count = node::ChannelCount;
  const Counters<Count>& counts = channel.counts();
  messages_in_ += counts[Count::publish];
  messages_out_ +=
      counts[Count::deliver] + counts[Count::deliver_no_ack] + counts[Count::get] + counts[Count::get_no_ack];
}

LoggedConnection Connection::logged() const {
  return {.peer = stream_->peer(),
          .protocol = "AMQP 0-9-1",
          .user = user_,
          .vhost = vhost_,
          .client = peer_properties_.product,
          .name = peer_properties_.connection_name,
          .mechanism = mechanism_};
}

void Connection::on_sample() {
  sample_traffic();
  for (const auto& [number, channel] : channels_) channel->sample(now_ms(), client_.clock().wall_ms());
}

node::ChannelRow Channel::describe() const {
  node::ChannelRow row;
  row.number = number_;
  row.state = closing_ ? "closing" : "running";
  row.prefetch = prefetch_count_;
  row.global_prefetch = global_prefetch_count_;
  row.confirms = confirming_;
  row.transactional = transaction_ != nullptr;
  row.unacknowledged = unacked_.size();
  if (confirming_) row.unconfirmed = published_seq_ - told_up_to_;
  if (transaction_ != nullptr) {
    row.uncommitted = transaction_->published;
    row.acks_uncommitted = transaction_->settled.size();
  }
  row.consumers = static_cast<std::uint32_t>(consumers_.size());
  row.idle_since_ms = idle_since_ms_;
  row.counts = counts_;
  row.rates = meter_.per_second(counts_, connection_.client().clock().monotonic_ns() / 1'000'000);
  return row;
}

void Channel::sample(std::uint64_t now_ms, std::uint64_t wall_ms) {
  if (meter_.grew(counts_)) {
    idle_since_ms_ = 0;
  } else if (idle_since_ms_ == 0) {
    idle_since_ms_ = wall_ms;
  }
  meter_.sample(counts_, now_ms);
}

}  // namespace weir::amqp091
