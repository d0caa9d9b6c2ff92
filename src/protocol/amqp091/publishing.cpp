// From basic.publish to the broker, and the broker's confirms back.
#include <fmt/format.h>

#include "protocol/amqp091/channel.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/mapping.h"

namespace weir::amqp091 {

void Channel::handle(const BasicPublish& method) {
  if (method.immediate) return refuse(ReplyCode::not_implemented, "immediate=true");
  content_.begin(method);
  connection_.content_started(*this);
}

void Channel::on_content_header(Bytes payload) {
  if (closing_) return;
  culprit_ = BasicPublish::info.id;
  if (auto expected = content_.expect_header(); !expected) return refuse(expected.error());
  const auto header = decode_content_header(payload);
  if (!header) return refuse(header.error());
  const std::size_t max = connection_.settings().max_message_bytes;
  if (header->body_bytes > max) {
    return refuse(
        ReplyCode::precondition_failed,
        fmt::format("message size {} is larger than configured max size {}", header->body_bytes, max));
  }
  if (header->raw_properties.size() > limits::native_properties_bytes_max) {
    return refuse(ReplyCode::precondition_failed,
                  fmt::format("message properties of {} bytes are larger than {}",
                              header->raw_properties.size(), limits::native_properties_bytes_max));
  }
  content_.take_header(*header);
  if (content_.complete()) publish_content();
}

void Channel::on_body(Bytes payload, Chunk* chunk) {
  if (closing_) return;
  culprit_ = BasicPublish::info.id;
  if (auto taken = content_.take_body(payload, chunk); !taken) return refuse(taken.error());
  if (content_.complete()) publish_content();
}

void Channel::on_body_begin(std::size_t bytes) {
  if (closing_) return;
  culprit_ = BasicPublish::info.id;
  if (auto begun = content_.begin_body_frame(bytes); !begun) return refuse(begun.error());
}

void Channel::on_body_part(Bytes part) {
  if (!closing_) content_.take_body_part(part);
}

void Channel::on_body_end() {
  if (!closing_ && content_.complete()) publish_content();
}

// And notes what the broker has to act on.
bool Channel::properties_allowed(PropertiesView properties) {
  extras_.clear();
  if (const auto user = properties.user_id(); user && *user != connection_.user()) [[unlikely]] {
    refuse(ReplyCode::precondition_failed,
           fmt::format("user_id property set to '{}' but authenticated user was '{}'", *user,
                       connection_.user()));
    return false;
  }
  if (const auto expiration = properties.expiration()) [[unlikely]] {
    if (const std::string_view fault = expiration_fault(*expiration); !fault.empty()) {
      refuse(ReplyCode::precondition_failed, fmt::format("invalid expiration '{}': {}", *expiration, fault));
      return false;
    }
    broker::MessageExtras extras;
    extras.ttl_ms = expiration_ms(*expiration);
    broker::append_extras(extras_, extras);
  }
  return true;
}

// The message is complete.
void Channel::publish_content() {
  const PropertiesView properties(content_.raw_properties());
  if (!properties_allowed(properties)) return;
  const ContentAssembly::Address& address = content_.address();
  MessageHeaders headers(content_.raw_properties());
  const node::Publish publish{
      .publisher = publisher_,
      .seq = confirming_ ? ++published_seq_ : 0,
      .message = {.native = broker::NativeForm::amqp091,
                  .persistent = properties.persistent(),
                  .priority = properties.priority().value_or(0),
                  .exchange = address.exchange,
                  .routing_key = address.routing_key,
                  .extras = extras_,
                  .properties = content_.raw_properties(),
                  .body = content_.body(),
                  .body_bytes = content_.body_bytes()},
      .chunk = content_.chunk(),
      .headers = &headers,
  };
  const auto published = session().publish(publish);
  if (!published) [[unlikely]]
    return refuse(published.error());
  if (*published == node::PublishResult::unroutable && address.mandatory) [[unlikely]]
    return_content();
  content_.reset();
  connection_.content_ended(*this);
  connection_.note_published();
}

// Rare: the body is copied.
void Channel::return_content() {
  std::vector<std::byte> body;
  body.reserve(content_.body_bytes());
  for (const Bytes piece : content_.body()) body.insert(body.end(), piece.begin(), piece.end());
  const BasicReturn returned{number_of(ReplyCode::no_route), reply_text(ReplyCode::no_route),
                             content_.address().exchange, content_.address().routing_key};
  connection_.send_content(number_, returned, content_.raw_properties(), body, nullptr);
}

// --- confirms ---

void Channel::on_confirmed(std::uint64_t up_to) {
  if (closing_) return;
  confirmed_up_to_ = up_to;
  if (confirms_due_) return;
  confirms_due_ = true;
  connection_.note_confirms(*this);
}

void Channel::write_confirms() {
  confirms_due_ = false;
  if (closing_ || confirmed_up_to_ <= told_up_to_) return;
  connection_.send(number_, BasicAck{confirmed_up_to_, confirmed_up_to_ - told_up_to_ > 1});
  told_up_to_ = confirmed_up_to_;
}

void Channel::on_rejected(std::uint64_t first, std::uint64_t last) {
  if (closing_) return;
  write_confirms();
  if (told_up_to_ + 1 >= first) {
    // Nothing below is open, so that "multiple" means just these.
    connection_.send(number_, BasicNack{last, last > told_up_to_ + 1, false});
    told_up_to_ = last;
    return;
  }
  for (std::uint64_t seq = first; seq <= last; ++seq) connection_.send(number_, BasicNack{seq, false, false});
}

}  // namespace weir::amqp091
