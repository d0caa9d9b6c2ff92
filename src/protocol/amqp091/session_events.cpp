// What the broker says to a connection, on the way to the channel that it is for.
#include <utility>

#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/errors.h"

namespace weir::amqp091 {

void Connection::begin_request(Channel& channel) {
  requesting_ = &channel;
  wait(for_request);
}

void Connection::on_reply(node::Reply reply) {
  // The connection failed meanwhile: the session puts back what it did not hand over, and goes at the end of the turn.
  if (requesting_ == nullptr) return;
  std::exchange(requesting_, nullptr)->on_reply(std::move(reply));
  wait_no_more(for_request);
}

void Connection::on_confirmed(node::PublisherNumber publisher, std::uint64_t up_to) {
  Channel* const channel = find_channel(static_cast<std::uint16_t>(publisher));
  if (channel != nullptr && channel->publisher() == publisher) channel->on_confirmed(up_to);
}

void Connection::on_rejected(node::PublisherNumber publisher, std::uint64_t first, std::uint64_t last) {
  Channel* const channel = find_channel(static_cast<std::uint16_t>(publisher));
  if (channel != nullptr && channel->publisher() == publisher) channel->on_rejected(first, last);
}

void Connection::note_confirms(Channel& channel) {
  confirming_.push_back(&channel);
  ask_turn_end();
}

void Connection::on_delivery(const node::Delivery& delivery) {
  const Consumer* const consumer = consumers_.find(delivery.consumer);
  if (consumer != nullptr) consumer->channel->on_delivery(*consumer, delivery);
}

void Connection::on_consumer_cancelled(node::ConsumerNumber number, node::CancelReason) {
  const Consumer* const consumer = consumers_.find(number);
  if (consumer != nullptr) consumer->channel->on_consumer_cancelled(*consumer);
}

// Only who publishes is stopped, and told why when it lasts.
void Connection::apply_publish_flow() {
  const bool tell = publishing_stopped() && !alarm().empty() && peer_properties_.connection_blocked;
  if (tell != blocked_told_) {
    blocked_told_ = tell;
    const std::string why = "low on " + alarm();
    if (tell) send(0, ConnectionBlocked{cut_text(why, short_string_bytes_max)});
    if (!tell) send(0, ConnectionUnblocked{});
  }
  ClientConnection::apply_publish_flow();
}

void Connection::on_close_wanted(const Error& reason) {
  fail(ReplyCode::connection_forced, reason.message, {});
}

}  // namespace weir::amqp091
