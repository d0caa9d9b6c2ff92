// What the broker says to a connection, and what is told of it to those who look.
#include <algorithm>
#include <utility>

#include "protocol/mqtt/connection.h"

namespace weir::mqtt {

void Connection::on_consumer_cancelled(node::ConsumerNumber number, node::CancelReason) {
  if (!has_session()) return;
  if (number == own_) return fail(ReasonCode::administrative_action, "the session's queue is gone");
  if (std::find(marks_from_.begin(), marks_from_.end(), number) != marks_from_.end())
    return fail(ReasonCode::administrative_action, "a queue of the session's state is gone");
  // A queue of the broker, or a shared one, that somebody has deleted.
  if (const Subscribed* const subscribed = subscriptions_.find(number))
    subscriptions_.remove(std::string(subscribed->filter));
}

void Connection::on_close_wanted(const Error& reason) {
  fail(ReasonCode::administrative_action, reason.message);
}

void Connection::describe(node::ConnectionFacts& facts, std::vector<node::ChannelRow>* channels) const {
  describe_traffic(facts);
  facts.timeout_s = keep_alive_s_;
  facts.channels = 1;
  if (channels == nullptr) return;
  node::ChannelRow row;
  row.number = 1;
  row.confirms = true;
  row.prefetch = receive_maximum_;
  row.unconfirmed = published_seq_ - confirmed_up_to_;
  row.unacknowledged = flights_.size();
  row.consumers = consuming_ ? 1 : 0;
  row.idle_since_ms = idle_since_ms_;
  row.counts = channel_counts_;
  row.rates = channel_meter_.per_second(channel_counts_, now_ms());
  channels->push_back(row);
}

LoggedConnection Connection::logged() const {
  return {.peer = stream_->peer(),
          .protocol = "MQTT",
          .user = user_,
          .vhost = vhost_,
          .client = {},
          .name = client_id_,
          .mechanism = mechanism_};
}

LoggedTraffic Connection::messages() const {
  using Count = node::ChannelCount;
  return {.messages_in = channel_counts_[Count::publish],
          .messages_out = channel_counts_[Count::deliver] + channel_counts_[Count::deliver_no_ack]};
}

void Connection::on_sample() {
  sample_traffic();
  if (channel_meter_.grew(channel_counts_)) {
    idle_since_ms_ = 0;
  } else if (idle_since_ms_ == 0) {
    idle_since_ms_ = client_.clock().wall_ms();
  }
  channel_meter_.sample(channel_counts_, now_ms());
}

}  // namespace weir::mqtt
