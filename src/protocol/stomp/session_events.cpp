// What the broker says to a connection, and what is told of it to those who look.
#include <utility>

#include "protocol/stomp/connection.h"

namespace weir::stomp {

void Connection::on_reply(node::Reply reply) {
  // The connection failed meanwhile: the session puts back what it did not hand over, and goes at the end of the turn.
  if (!then_) return;
  const Then then = std::exchange(then_, nullptr);
  if (!reply) {
    fail(reply.error());
  } else {
    then(*reply);
  }
  if (!then_ && !last_receipt_) wait_no_more(for_request);
}

void Connection::on_confirmed(node::PublisherNumber, std::uint64_t up_to) {
  if (phase_ != Phase::running) return;
  channel_counts_[node::ChannelCount::confirm] += up_to - confirmed_up_to_;
  confirmed_up_to_ = up_to;
  while (!receipts_.empty() && receipts_.front().seq <= up_to) {
    const std::string id = std::move(receipts_.front().id);
    receipts_.pop_front();
    if (!id.empty()) send_receipt(id);
  }
  leave_when_safe();
}

// Of those that nobody asked a receipt for, nothing is said, as of all that a full queue drops.
void Connection::on_rejected(node::PublisherNumber, std::uint64_t first, std::uint64_t last) {
  if (phase_ != Phase::running) return;
  for (const Receipt& receipt : receipts_) {
    if (receipt.seq < first || receipt.seq > last) continue;
    return fail("Message not accepted", receipt.id.empty()
                                            ? "a queue had no room for what was committed"
                                            : "a queue had no room for it: receipt " + receipt.id);
  }
}

void Connection::on_consumer_cancelled(node::ConsumerNumber number, node::CancelReason) {
  const Subscription* const subscription = subscriptions_.find(number);
  if (subscription != nullptr)
    fail("Server cancelled subscription", "The queue of subscription '" + subscription->id + "' is gone.");
}

void Connection::on_close_wanted(const Error& reason) { fail("Connection closed", reason.message); }

// --- for those who look ---

void Connection::describe(node::ConnectionFacts& facts, std::vector<node::ChannelRow>* channels) const {
  describe_traffic(facts);
  facts.timeout_s = beat_in_ms_ / 1'000;
  facts.channels = 1;
  if (channels == nullptr) return;
  node::ChannelRow row;
  row.number = 1;
  row.confirms = true;
  row.transactional = !transactions_.empty();
  row.unconfirmed = published_seq_ - confirmed_up_to_;
  subscriptions_.for_each([&](const Subscription& one) { row.unacknowledged += one.unacked.size(); });
  row.consumers = static_cast<std::uint32_t>(subscriptions_.size());
  row.idle_since_ms = idle_since_ms_;
  row.counts = channel_counts_;
  row.rates = channel_meter_.per_second(channel_counts_, now_ms());
  channels->push_back(row);
}

LoggedConnection Connection::logged() const {
  return {.peer = stream_->peer(),
          .protocol = "STOMP",
          .user = user_,
          .vhost = vhost_,
          .client = {},
          .name = {},
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

}  // namespace weir::stomp
