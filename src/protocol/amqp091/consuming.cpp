// Deliveries to the client, and what it says of them.
#include <fmt/format.h>

#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/send_delivery.h"

namespace weir::amqp091 {

void Channel::on_delivery(const Consumer& consumer, const node::Delivery& delivery) {
  const std::uint64_t tag = next_tag_++;
  if (!consumer.no_ack) note_unacked({tag, delivery.seq, delivery.queue, consumer.number});
  ++counts_[consumer.no_ack ? node::ChannelCount::deliver_no_ack : node::ChannelCount::deliver];
  if (delivery.redelivered) ++counts_[node::ChannelCount::redeliver];
  const broker::StoredMessage& message = delivery.message;
  const BasicDeliver deliver{consumer.tag, tag, delivery.redelivered, message.exchange, message.routing_key};
  send_delivery(deliver, delivery, !consumer.no_ack);
}

void Channel::trace_delivery(const node::Delivery& delivery, std::uint64_t tag, bool settles) {
  const auto* const queue = connection_.client().topology().find_queue(delivery.queue);
  traces_->end_delivery(delivery,
                        {.vhost = connection_.vhost(),
                         .queue = queue != nullptr ? std::string_view(queue->name) : std::string_view(),
                         .tag = tag,
                         .settles = settles});
}

void Channel::on_consumer_cancelled(const Consumer& consumer) {
  if (connection_.peer_properties().consumer_cancel_notify) {
    connection_.send(number_, BasicCancel{consumer.tag, true});
  }
  consumers_.erase(consumer.tag);
  connection_.consumers().remove(consumer);
}

void Channel::handle(const BasicAck& method) {
  settle_tagged(method.delivery_tag, method.multiple, node::Outcome::accept);
}

void Channel::handle(const BasicNack& method) {
  settle_tagged(method.delivery_tag, method.multiple,
                method.requeue ? node::Outcome::requeue : node::Outcome::discard);
}

void Channel::handle(const BasicReject& method) {
  settle_tagged(method.delivery_tag, false, method.requeue ? node::Outcome::failed : node::Outcome::discard);
}

void Channel::handle(const BasicRecoverAsync& method) {
  if (!method.requeue) return refuse(ReplyCode::not_implemented, "requeue=false");
  requeue_all(node::Outcome::requeue);
}

void Channel::handle(const BasicRecover& method) {
  if (!method.requeue) return refuse(ReplyCode::not_implemented, "requeue=false");
  requeue_all(node::Outcome::requeue);
  connection_.send(number_, BasicRecoverOk{});
}

void Channel::settle(const Unacked& delivery, node::Outcome outcome) {
  session().settle(delivery.consumer, delivery.queue, delivery.seq, outcome);
  if (traces_ != nullptr) [[unlikely]]
    traces_->settled(delivery.tag, outcome);
  if (pooled_ && delivery.consumer != node::no_consumer) [[unlikely]]
    session().add_pool_out(publisher_, -1);
}

void Channel::settle_tagged(std::uint64_t tag, bool multiple, node::Outcome outcome) {
  const std::uint64_t acked = outcome == node::Outcome::accept ? 1 : 0;
  if (!multiple) {
    Unacked one;
    if (unacked_.take(tag, one)) [[likely]] {
      counts_[node::ChannelCount::ack] += acked;
      if (transaction_ == nullptr) [[likely]]
        return settle(one, outcome);
      hold_settlement(one, outcome);
      return;
    }
  } else {
    const auto settle_one = [&](const Unacked& one) {
      counts_[node::ChannelCount::ack] += acked;
      // One that comes after the transaction has failed goes back to its queue, as the others did.
      if (transaction_ == nullptr || closing_)
        return settle(one, closing_ ? node::Outcome::requeue : outcome);
      hold_settlement(one, outcome);
    };
    // 0 means all; it is fine when there are none.
    if (tag == 0) return unacked_.take_all(settle_one);
    if (unacked_.take_through(tag, settle_one)) return;
  }
  refuse(ReplyCode::precondition_failed, fmt::format("unknown delivery tag {}", tag));
}

void Channel::requeue_all(node::Outcome how) {
  unacked_.take_all([&](const Unacked& one) { settle(one, how); });
}

}  // namespace weir::amqp091
