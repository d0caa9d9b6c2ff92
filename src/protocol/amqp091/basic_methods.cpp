// The basic class, but for what is done per message: publishing.cpp and consuming.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "node/reply_address.h"
#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/mapping.h"
#include "protocol/amqp091/send_delivery.h"

namespace weir::amqp091 {

namespace {

// "amq.ctag-" and 22 characters of chance.
std::string generate_tag(Rng& rng) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::size_t letter_count = 22;
  std::string tag = "amq.ctag-";
  for (std::size_t i = 0; i < letter_count; ++i) tag += letters[rng.below(letters.size())];
  return tag;
}

}  // namespace

std::uint32_t Channel::prefetch() const {
  return prefetch_count_ != 0 ? prefetch_count_ : connection_.settings().unacked_per_consumer_max;
}

void Channel::handle(const BasicQos& method) {
  if (method.prefetch_size != 0) {
    return refuse(ReplyCode::not_implemented, fmt::format("prefetch_size!=0 ({})", method.prefetch_size));
  }
  connection_.send(number_, BasicQosOk{});
  if (method.global) return share_prefetch(method.prefetch_count);
  prefetch_count_ = method.prefetch_count;
}

// Of all consumers of the channel, those that are there already and those to come.
void Channel::share_prefetch(std::uint16_t count) {
  session().set_pool_prefetch(publisher_, count);
  global_prefetch_count_ = count;
  if (std::exchange(pooled_, true)) return;
  for (const auto& [tag, number] : consumers_) session().join_pool(number, publisher_);
  // What consumers had that are not there any more.
  std::int64_t left_behind = 0;
  unacked_.visit([&](const Unacked& one) {
    if (one.consumer != node::no_consumer && connection_.consumers().find(one.consumer) == nullptr)
      ++left_behind;
    return true;
  });
  if (left_behind > 0) session().add_pool_out(publisher_, left_behind);
}

const Consumer* Channel::add_consumer(const BasicConsume& method) {
  if (!method.consumer_tag.empty() && consumers_.contains(method.consumer_tag)) {
    refuse(ReplyCode::not_allowed, fmt::format("attempt to reuse consumer tag '{}'", method.consumer_tag));
    return nullptr;
  }
  const std::size_t consumers_max = connection_.settings().consumers_per_connection_max;
  if (connection_.consumers().size() >= consumers_max) {
    refuse(ReplyCode::not_allowed, fmt::format("reached maximum ({}) of consumers", consumers_max));
    return nullptr;
  }
  std::string tag =
      method.consumer_tag.empty() ? generate_tag(connection_.names()) : std::string(method.consumer_tag);
  return &connection_.consumers().add(*this, std::move(tag), method.no_ack);
}

void Channel::handle(const BasicConsume& method) {
  if (method.queue == node::reply_queue) return consume_replies(method);
  const std::string* const queue = queue_or_last(method.queue);
  if (queue == nullptr || !may_use_queue(broker::Access::read, *queue)) return;
  const Consumer* const consumer = add_consumer(method);
  if (consumer == nullptr) return;
  consumers_.emplace(consumer->tag, consumer->number);
  if (!method.no_ack) expect_deliveries_of(*queue);
  begin_request({.kind = Request::Kind::consume, .no_wait = method.no_wait, .consumer = consumer->number});
  session().consume({
      .queue = *queue,
      .consumer = consumer->number,
      .tag = consumer->tag,
      .no_ack = method.no_ack,
      .exclusive = method.exclusive,
      .prefetch = prefetch(),
      .pool = pooled_ ? publisher_ : 0,
      .arguments = table_from_wire(method.arguments),
      .channel = number_,
  });
}

void Channel::handle(const BasicCancel& method) {
  if (consumes_replies_as(method.consumer_tag)) {
    drop_reply_consumer();
    if (!method.no_wait) connection_.send(number_, BasicCancelOk{method.consumer_tag});
    return;
  }
  const auto found = consumers_.find(method.consumer_tag);
  if (found == consumers_.end()) {
    // Cancelling what is not there is fine.
    if (!method.no_wait) connection_.send(number_, BasicCancelOk{method.consumer_tag});
    return;
  }
  const node::ConsumerNumber number = found->second;
  // What a shared prefetch is about has to be known to the end.
  if (method.no_wait && !pooled_) {
    session().drop_consumer(number);
    if (const Consumer* consumer = connection_.consumers().find(number))
      connection_.consumers().remove(*consumer);
    consumers_.erase(found);
    return;
  }
  begin_request({.kind = Request::Kind::cancel,
                 .no_wait = method.no_wait,
                 .consumer = number,
                 .consumer_tag = std::string(method.consumer_tag)});
  session().cancel(number);
}

void Channel::finish_cancel(const Request& request) {
  if (const Consumer* consumer = connection_.consumers().find(request.consumer)) {
    connection_.consumers().remove(*consumer);
  }
  const auto found = consumers_.find(request.consumer_tag);
  if (found != consumers_.end() && found->second == request.consumer) consumers_.erase(found);
  if (!request.no_wait) connection_.send(number_, BasicCancelOk{request.consumer_tag});
}

void Channel::handle(const BasicGet& method) {
  const std::string* const queue = queue_or_last(method.queue);
  if (queue == nullptr || !may_use_queue(broker::Access::read, *queue)) return;
  const std::size_t unacked_max = connection_.settings().unacked_per_channel_max;
  if (!method.no_ack && unacked_.size() >= unacked_max) {
    return refuse(ReplyCode::precondition_failed,
                  fmt::format("reached maximum ({}) of unacknowledged messages on the channel", unacked_max));
  }
  if (!method.no_ack) expect_deliveries_of(*queue);
  begin_request({.kind = Request::Kind::get, .no_ack = method.no_ack});
  session().get(*queue, method.no_ack, number_);
}

void Channel::finish_get(const Request& request, node::Got& got) {
  if (!got.delivery) {
    ++counts_[node::ChannelCount::get_empty];
    return connection_.send(number_, BasicGetEmpty{});
  }
  const node::Delivery& delivery = *got.delivery;
  ++counts_[request.no_ack ? node::ChannelCount::get_no_ack : node::ChannelCount::get];
  if (delivery.redelivered) ++counts_[node::ChannelCount::redeliver];
  const std::uint64_t tag = next_tag_++;
  if (!request.no_ack) note_unacked({tag, delivery.seq, delivery.queue, node::no_consumer});
  const auto left = static_cast<std::uint32_t>(std::min<std::uint64_t>(got.messages_left, UINT32_MAX));
  const BasicGetOk ok{tag, delivery.redelivered, delivery.message.exchange, delivery.message.routing_key,
                      left};
  send_delivery(ok, delivery, !request.no_ack);
}

}  // namespace weir::amqp091
