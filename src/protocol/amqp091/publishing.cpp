// From basic.publish to the broker, and the broker's confirms back.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
  if (header->body_bytes >= connection_.client().body_sizes().large_bytes && transaction_ == nullptr &&
      PropertiesView(content_.raw_properties()).persistent() && !begin_large_body())
    return;
  if (content_.complete()) publish_content();
}

void Channel::on_body(Bytes payload, Chunk* chunk) {
  if (closing_) return;
  if (content_.body_is_passed_on()) {
    on_body_begin(payload.size());
    on_body_part(payload);
    return on_body_end();
  }
  culprit_ = content_.idle() ? MethodId{} : BasicPublish::info.id;
  if (auto taken = content_.take_body(payload, chunk); !taken) return refuse(taken.error());
  if (content_.complete()) publish_content();
}

void Channel::on_body_begin(std::size_t bytes) {
  if (closing_) return;
  culprit_ = content_.idle() ? MethodId{} : BasicPublish::info.id;
  const auto begun =
      content_.body_is_passed_on() ? content_.count_body_frame(bytes) : content_.begin_body_frame(bytes);
  if (!begun) return refuse(begun.error());
}

void Channel::on_body_part(Bytes part) {
  if (closing_) return;
  if (content_.body_is_passed_on()) return take_large_body(part);
  content_.take_body_part(part);
}

void Channel::on_body_end() {
  if (closing_ || !content_.complete()) return;
  if (content_.body_is_passed_on()) return finish_large_body();
  publish_content();
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
    // Where it is routed once more, they count again.
    const std::vector<std::byte> keys = broker::encode_blind_keys(routing_headers_.blind_keys);
    broker::MessageExtras extras = broker::view_extras(extras_);
    extras.blind_keys = keys;
    std::vector<std::byte> with_keys;
    broker::append_extras(with_keys, extras);
    extras_ = std::move(with_keys);
    properties.headers = TableBytes{table};
  }
  rewritten_.clear();
  append_properties(rewritten_, properties);
  raw = rewritten_;
  return true;
}

bool Channel::prepare(Bytes& raw) {
  raw = content_.raw_properties();
  const PropertiesView properties(raw);
  if (!properties_allowed(properties)) return false;
  routing_headers_.keys.clear();
  constexpr std::uint16_t looked_into = flag_of(Property::headers) | flag_of(Property::reply_to);
  return (properties.flags() & looked_into) == 0 || rewrite_properties(raw);
}

node::Publish Channel::incoming(Bytes raw, broker::HeaderSource& headers) {
  const PropertiesView properties(raw);
  const ContentAssembly::Address& address = content_.address();
  return {
      .publisher = publisher_,
      .seq = 0,
      .message = {.native = broker::NativeForm::amqp091,
                  .persistent = properties.persistent(),
                  .priority = properties.priority().value_or(0),
                  .exchange = address.exchange,
                  .routing_key = address.routing_key,
                  .extras = extras_,
                  .properties = raw,
                  .body = {},
                  .body_bytes = content_.body_bytes()},
      .chunk = nullptr,
      .headers = &headers,
      .more_keys = routing_headers_.keys,
      .mandatory = address.mandatory,
      .channel = number_,
  };
}

// The message is complete.
void Channel::publish_content() {
  Bytes raw;
  if (!prepare(raw)) return;
  if (traces_ != nullptr) [[unlikely]]
    traces_->begin_publish(raw);
  MessageHeaders headers(raw);
  node::Publish publish = incoming(raw, headers);
  publish.seq = confirming_ ? ++published_seq_ : 0;
  publish.message.body = content_.body();
  publish.chunk = content_.chunk();
  const auto published =
      transaction_ == nullptr ? session().publish(publish) : transaction_->work->publish(publish);
  if (!published) [[unlikely]]
    return refuse(published.error());
  const bool unroutable = *published == node::PublishResult::unroutable;
  count_published(unroutable);
  if (traces_ != nullptr) [[unlikely]]
    traces_->published(publish, connection_.vhost(), unroutable);
  if (transaction_ != nullptr) ++transaction_->published;
  if (unroutable && content_.address().mandatory && !return_content(raw)) [[unlikely]]
    return;
  end_content();
}

void Channel::count_published(bool unroutable) {
  ++counts_[node::ChannelCount::publish];
  if (!unroutable) [[likely]]
    return;
  ++counts_[content_.address().mandatory ? node::ChannelCount::return_unroutable
                                         : node::ChannelCount::drop_unroutable];
}

void Channel::end_content() {
  content_.reset();
  connection_.content_ended(*this);
  connection_.note_published();
}

// --- large bodies ---

// A direct reply goes to its consumer as a whole.
bool Channel::may_pass_on() const {
  const ContentAssembly::Address& address = content_.address();
  if (!address.exchange.empty()) return true;
  const auto& more = routing_headers_.keys;
  return !node::is_reply_key(address.routing_key) &&
         std::none_of(more.begin(), more.end(), [](std::string_view key) { return node::is_reply_key(key); });
}

// Its header has come. False: it was refused.
bool Channel::begin_large_body() {
  content_.detach();  // what is looked at now is needed until the end
  if (!prepare(body_properties_)) return false;
  if (!may_pass_on()) return true;
  if (traces_ != nullptr) [[unlikely]]
    traces_->begin_publish(body_properties_);
  MessageHeaders headers(body_properties_);
  const Result<node::BodyBegun> begun = session().begin_body(incoming(body_properties_, headers));
  if (!begun) {
    refuse(begun.error());
    return false;
  }
  // What is to be returned has to be kept.
  if (begun->result == node::PublishResult::unroutable && content_.address().mandatory) {
    if (begun->body != node::no_body) session().abort_body(begun->body);
    return true;
  }
  body_ = begun->body;
  content_.pass_body_on();
  connection_.note_published();
  return true;
}

void Channel::take_large_body(Bytes part) {
  if (body_ == node::no_body) return;  // it reaches no queue
  const std::size_t piece_bytes = connection_.client().body_sizes().piece_bytes;
  while (!part.empty()) {
    part = piece_.put(part, piece_bytes);
    if (piece_.full(piece_bytes)) pass_piece_on();
  }
}

void Channel::pass_piece_on() {
  if (piece_.empty()) return;
  session().append_body(body_, piece_.bytes(), piece_.chunk());
  piece_.next();
}

void Channel::finish_large_body() {
  pass_piece_on();
  piece_.release();
  MessageHeaders headers(body_properties_);
  node::Publish publish = incoming(body_properties_, headers);
  publish.seq = confirming_ ? ++published_seq_ : 0;
  count_published(body_ == node::no_body);
  if (traces_ != nullptr) [[unlikely]]
    traces_->published(publish, connection_.vhost(), body_ == node::no_body);
  session().finish_body(std::exchange(body_, node::no_body), publish);
  end_content();
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
  counts_[node::ChannelCount::confirm] += confirmed_up_to_ - told_up_to_;
  connection_.send(number_, BasicAck{confirmed_up_to_, confirmed_up_to_ - told_up_to_ > 1});
  if (traces_ != nullptr) [[unlikely]]
    traces_->confirmed(confirmed_up_to_);
  told_up_to_ = confirmed_up_to_;
}

void Channel::on_rejected(std::uint64_t first, std::uint64_t last) {
  if (closing_) return;
  write_confirms();
  if (transaction_ != nullptr) return fail_commit();
  if (traces_ != nullptr) [[unlikely]]
    traces_->rejected(first, last);
  if (told_up_to_ + 1 >= first) {
    // Nothing below is open, so that "multiple" means just these.
    connection_.send(number_, BasicNack{last, last > told_up_to_ + 1, false});
    told_up_to_ = last;
    return;
  }
  for (std::uint64_t seq = first; seq <= last; ++seq) connection_.send(number_, BasicNack{seq, false, false});
}

}  // namespace weir::amqp091
