// MESSAGE: what subscriptions get.
#include <charconv>
#include <cstring>
#include <utility>

#include "node/stored_headers.h"
#include "protocol/stomp/codec/escape.h"
#include "protocol/stomp/codec/stored_headers.h"
#include "protocol/stomp/connection.h"
#include "protocol/stomp/selected.h"

namespace weir::stomp {

namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

void Connection::on_delivery(const node::Delivery& delivery) {
  Subscription* const subscription = subscriptions_.find(delivery.consumer);
  if (subscription == nullptr) return;
  if (subscription->selector) [[unlikely]] {
    SelectedMessage message(delivery, client_.headers_of());
    if (!subscription->selector->matches(message)) return pass_over(*subscription, delivery);
  }
  const std::uint64_t tag = next_tag_++;
  const bool automatic = subscription->ack == AckMode::automatic;
  if (!automatic && !delivery.looked_at)
    subscription->unacked.push({tag, delivery.seq, delivery.queue, subscription->number});
  ++channel_counts_[automatic ? node::ChannelCount::deliver_no_ack : node::ChannelCount::deliver];
  if (delivery.redelivered) ++channel_counts_[node::ChannelCount::redeliver];
  append_message_head(delivery, *subscription, tag);
  const Bytes body = delivery.message.body;
  if (delivery.body != node::no_body) {
    write(text_);
    begin_body(delivery.body, delivery.body_bytes);
    write(std::string_view("\0", 1));
  } else if (body.size() <= body_copy_bytes_max || delivery.chunk == nullptr) {
    std::byte* const to = output_.reserve(text_.size() + body.size() + 1);
    std::memcpy(to, text_.data(), text_.size());
    if (!body.empty()) std::memcpy(to + text_.size(), body.data(), body.size());
    to[text_.size() + body.size()] = std::byte{0};
    output_.commit(text_.size() + body.size() + 1);
    after_output();
  } else {
    write(text_);
    output_.refer(ChunkRef::share(delivery.chunk), body);
    write(std::string_view("\0", 1));
  }
}

// It is not for this subscription, whose queue is its own, or which only looks.
void Connection::pass_over(const Subscription& subscription, const node::Delivery& delivery) {
  if (delivery.body != node::no_body) session_->close_body(delivery.body);
  if (subscription.ack == AckMode::automatic || delivery.looked_at) return;
  session_->settle(subscription.number, delivery.queue, delivery.seq, node::Outcome::accept);
}

// Into text_.
void Connection::append_message_head(const node::Delivery& delivery, const Subscription& subscription,
                                     std::uint64_t tag) {
  const broker::StoredMessage& message = delivery.message;
  text_ = "MESSAGE\nsubscription:";
  std::string plain;
  append_escaped(text_, subscription.id, version_);
  text_ += "\ndestination:";
  append_destination(plain, message.exchange, message.routing_key);
  append_escaped(text_, plain, version_);
  text_ += "\nmessage-id:";
  const auto append_id = [&] {
    append_number(text_, subscription.number);
    text_ += "@@";
    text_ += session_name_;
    text_ += "@@";
    append_number(text_, tag);
    text_ += '\n';
  };
  append_id();
  if (version_ == Version::v1_2 && subscription.ack != AckMode::automatic) {
    text_ += "ack:";
    append_id();
  }
  text_ += delivery.redelivered ? "redelivered:true\n" : "redelivered:false\n";
  if (delivery.returns > 0 || delivery.looked_at || !message.extras.empty()) {
    std::string state;
    append_state(state, delivery);
    append_lines(text_, state, version_);
  }
  if (message.native == broker::NativeForm::stomp) {
    append_lines(text_, as_text(message.properties), version_);
  } else {
    append_lines(text_, stored_from(client_.headers_of().properties_of(message)), version_);
  }
  text_ += "content-length:";
  append_number(text_, delivery.body != node::no_body ? delivery.body_bytes : message.body.size());
  text_ += "\n\n";
}

}  // namespace weir::stomp
