// From basic.publish to the broker, and the broker's confirms back.
#include <fmt/format.h>

#include "node/reply_address.h"
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
  culprit_ = content_.idle() ? MethodId{} : BasicPublish::info.id;
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
  culprit_ = content_.idle() ? MethodId{} : BasicPublish::info.id;
  if (auto taken = content_.take_body(payload, chunk); !taken) return refuse(taken.error());
  if (content_.complete()) publish_content();
}

void Channel::on_body_begin(std::size_t bytes) {
  if (closing_) return;
  culprit_ = content_.idle() ? MethodId{} : BasicPublish::info.id;
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
    if (const std::string fault = expiration_fault(*expiration); !fault.empty()) {
      refuse(ReplyCode::precondition_failed, fmt::format("invalid expiration '{}': {}", *expiration, fault));
      return false;
    }
    broker::MessageExtras extras;
    extras.ttl_ms = expiration_ms(*expiration);
    broker::append_extras(extras_, extras);
  }
  return true;
}

// What the message's headers and its reply-to ask for, of which receivers see less or something else.
bool Channel::rewrite_properties(Bytes& raw) {
  const PropertiesView view(raw);
  const auto headers = view.headers();
  if (headers) {
    const std::string fault = read_routing_headers(*headers, routing_headers_);
    if (!fault.empty()) {
      refuse(ReplyCode::precondition_failed, fault);
      return false;
    }
  }
  const bool blind = headers && routing_headers_.blind;
  const bool direct = view.reply_to() == node::reply_queue;
  if (!blind && !direct) [[likely]]
    return true;
  Properties properties = properties_of(view);
  if (direct && !address_reply(properties)) return false;
  std::vector<std::byte> table;
  if (blind) {
    table = without_blind_keys(*headers);
    properties.headers = TableBytes{table};
  }
  rewritten_.clear();
  append_properties(rewritten_, properties);
  raw = rewritten_;
  return true;
}

// The message is complete.
void Channel::publish_content() {
  Bytes raw = content_.raw_properties();
  const PropertiesView properties(raw);
  if (!properties_allowed(properties)) return;
  routing_headers_.keys.clear();
  constexpr std::uint16_t looked_into = flag_of(Property::headers) | flag_of(Property::reply_to);
  if ((properties.flags() & looked_into) != 0 && !rewrite_properties(raw)) return;
  const ContentAssembly::Address& address = content_.address();
  MessageHeaders headers(raw);
  const node::Publish publish{
      .publisher = publisher_,
      .seq = confirming_ ? ++published_seq_ : 0,
      .message = {.native = broker::NativeForm::amqp091,
                  .persistent = properties.persistent(),
                  .priority = properties.priority().value_or(0),
                  .exchange = address.exchange,
                  .routing_key = address.routing_key,
                  .extras = extras_,
                  .properties = raw,
                  .body = content_.body(),
                  .body_bytes = content_.body_bytes()},
      .chunk = content_.chunk(),
      .headers = &headers,
      .more_keys = routing_headers_.keys,
  };
  const auto published =
      transaction_ == nullptr ? session().publish(publish) : transaction_->work->publish(publish);
  if (!published) [[unlikely]]
    return refuse(published.error());
  if (*published == node::PublishResult::unroutable && address.mandatory && !return_content(raw)) [[unlikely]]
    return;
  content_.reset();
  connection_.content_ended(*this);
  connection_.note_published();
}

// Rare: the body is copied. False: the channel has failed.
bool Channel::return_content(Bytes raw_properties) {
  ReturnedContent content{.exchange = std::string(content_.address().exchange),
                          .routing_key = std::string(content_.address().routing_key)};
  content.properties.assign(raw_properties.begin(), raw_properties.end());
  content.body.reserve(content_.body_bytes());
  for (const Bytes piece : content_.body())
    content.body.insert(content.body.end(), piece.begin(), piece.end());
  if (transaction_ != nullptr) return hold_return(std::move(content));
  send_returned(content);
  return true;
}

void Channel::send_returned(const ReturnedContent& content) {
  const BasicReturn returned{number_of(ReplyCode::no_route), reply_text(ReplyCode::no_route),
                             content.exchange, content.routing_key};
  connection_.send_content(number_, returned, content.properties, content.body, nullptr);
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
  if (transaction_ != nullptr && !closing_) return write_commits();
  if (closing_ || confirmed_up_to_ <= told_up_to_) return;
  connection_.send(number_, BasicAck{confirmed_up_to_, confirmed_up_to_ - told_up_to_ > 1});
  told_up_to_ = confirmed_up_to_;
}

void Channel::on_rejected(std::uint64_t first, std::uint64_t last) {
  if (closing_) return;
  write_confirms();
  if (transaction_ != nullptr) return fail_commit();
  if (told_up_to_ + 1 >= first) {
    // Nothing below is open, so that "multiple" means just these.
    connection_.send(number_, BasicNack{last, last > told_up_to_ + 1, false});
    told_up_to_ = last;
    return;
  }
  for (std::uint64_t seq = first; seq <= last; ++seq) connection_.send(number_, BasicNack{seq, false, false});
}

}  // namespace weir::amqp091
