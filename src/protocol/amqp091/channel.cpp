#include "protocol/amqp091/channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "protocol/amqp091/connection.h"
#include "protocol/amqp091/errors.h"
#include "protocol/amqp091/mapping.h"

namespace weir::amqp091 {

Channel::Channel(Connection& connection, std::uint16_t number, node::PublisherNumber publisher)
    : connection_(connection), number_(number), publisher_(publisher) {
  meter_.begin(counts_, connection.client().clock().monotonic_ns() / 1'000'000);
  if (node::SpanSink* const spans = connection.client().tracing())
    traces_ = std::make_unique<ChannelTraces>(*spans);
}

node::Session& Channel::session() { return connection_.session(); }

void Channel::on_method(Bytes payload) {
  culprit_ = method_id_of(payload);
  if (closing_) return on_method_while_closing(culprit_);
  if (auto expected = content_.expect_method(); !expected) {
    culprit_ = BasicPublish::info.id;
    return refuse(expected.error());
  }
  const auto handle_decoded = [this](const auto& decoded) {
    if (!decoded) return refuse(decoded.error());
    handle(*decoded);
  };
  // What comes once per message is spared the general way.
  if (culprit_ == BasicPublish::info.id) return handle_decoded(decode_as<BasicPublish>(payload));
  if (culprit_ == BasicAck::info.id) return handle_decoded(decode_as<BasicAck>(payload));
  const auto decoded = decode_method(payload);
  if (!decoded) return refuse(decoded.error());
  std::visit([this](const auto& method) { handle(method); }, *decoded);
}

void Channel::on_method_while_closing(MethodId method) {
  if (method == ChannelClose::info.id) connection_.send(number_, ChannelCloseOk{});
  if (method == ChannelCloseOk::info.id) connection_.forget(*this);
}

void Channel::refuse(ReplyCode code, std::string_view text) {
  if (scope_of(code) == ErrorScope::connection) return connection_.fail(code, text, culprit_);
  if (closing_) return;
  const std::string full = full_reply_text(code, text);
  log_warning("amqp091", "channel {} of user '{}', vhost '{}' closed: {}", number_, connection_.user(),
              connection_.vhost(), full);
  connection_.client().count_error(node::Protocol::amqp091, number_of(code), false);
  close_down();
  connection_.send(number_, ChannelClose{number_of(code), full, culprit_.class_id, culprit_.method_id});
}

void Channel::refuse(const Error& error) { refuse(reply_code_of(error.code), error.message); }

void Channel::refuse(const WireError& error) { refuse(error.code, error.text); }

void Channel::close_down() {
  if (closing_) return;
  write_confirms();
  closing_ = true;
  if (!content_.idle()) connection_.content_ended(*this);
  content_.reset();
  if (body_ != node::no_body) session().abort_body(std::exchange(body_, node::no_body));
  piece_.release();
  // Consumers first, so that what goes back is not delivered to them again.
  for (const auto& [tag, number] : consumers_) {
    session().drop_consumer(number);
    if (const Consumer* consumer = connection_.consumers().find(number))
      connection_.consumers().remove(*consumer);
  }
  consumers_.clear();
  drop_reply_consumer();
  if (transaction_ != nullptr) roll_back();
  requeue_all(node::Outcome::failed);
  if (pooled_) session().drop_pool(publisher_);
  session().close_publisher(publisher_);
}

// --- requests ---

void Channel::begin_request(Request request) {
  request.culprit = culprit_;
  request_ = std::move(request);
  connection_.begin_request(*this);
}

bool Channel::succeeds_without(Request::Kind kind) {
  return kind == Request::Kind::delete_exchange || kind == Request::Kind::delete_queue ||
         kind == Request::Kind::unbind_exchange || kind == Request::Kind::unbind_queue;
}

void Channel::on_reply(node::Reply reply) {
  if (!request_) return;
  const Request request = std::move(*request_);
  request_.reset();
  culprit_ = request.culprit;
  if (reply) return finish_request(request, *reply);

  const Error& error = reply.error();
  if (error.code == ErrorCode::not_found && succeeds_without(request.kind)) {
    node::ReplyValue nothing = node::Done{};
    if (request.kind == Request::Kind::delete_queue) nothing = node::Deleted{};
    return finish_request(request, nothing);
  }
  if (request.kind == Request::Kind::cancel) return finish_cancel(request);
  if (request.kind == Request::Kind::probe_replies) {
    return refuse(ReplyCode::not_found,
                  fmt::format("no queue '{}' in vhost '{}'", request.name, connection_.vhost()));
  }
  if (const Consumer* consumer = connection_.consumers().find(request.consumer)) {
    consumers_.erase(consumer->tag);
    connection_.consumers().remove(*consumer);
  }
  refuse(error);
}

template <typename Ok>
void Channel::confirm_request(const Request& request, const Ok& ok) {
  if (!request.no_wait) connection_.send(number_, ok);
}

namespace {
std::uint32_t message_count(std::uint64_t count) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
}
}  // namespace

void Channel::finish_request(const Request& request, node::ReplyValue& value) {
  using Kind = Request::Kind;
  switch (request.kind) {
    case Kind::declare_exchange: return confirm_request(request, ExchangeDeclareOk{});
    case Kind::delete_exchange: return confirm_request(request, ExchangeDeleteOk{});
    case Kind::bind_exchange: return confirm_request(request, ExchangeBindOk{});
    case Kind::unbind_exchange: return confirm_request(request, ExchangeUnbindOk{});
    case Kind::bind_queue: return confirm_request(request, QueueBindOk{});
    case Kind::unbind_queue: return confirm_request(request, QueueUnbindOk{});
    case Kind::probe_replies:
    case Kind::declare_queue: {
      auto& status = std::get<node::QueueStatus>(value);
      last_queue_ = std::move(status.name);
      return confirm_request(
          request, QueueDeclareOk{last_queue_, message_count(status.messages_ready), status.consumers});
    }
    case Kind::purge_queue:
      return confirm_request(request, QueuePurgeOk{message_count(std::get<node::Purged>(value).messages)});
    case Kind::delete_queue:
      return confirm_request(request, QueueDeleteOk{message_count(std::get<node::Deleted>(value).messages)});
    case Kind::consume: {
      const Consumer* const consumer = connection_.consumers().find(request.consumer);
      if (consumer != nullptr) confirm_request(request, BasicConsumeOk{consumer->tag});
      return;
    }
    case Kind::cancel: return finish_cancel(request);
    case Kind::get: return finish_get(request, std::get<node::Got>(value));
  }
}

// --- permissions ---

bool Channel::may_use(broker::Access access, broker::DestinationKind kind, std::string_view name) {
  const Status may = session().authorize(access, kind, name);
  if (!may) refuse(may.error());
  return may.has_value();
}

bool Channel::may_use_queue(broker::Access access, std::string_view queue) {
  return may_use(access, broker::DestinationKind::queue, queue);
}

bool Channel::may_use_exchange(broker::Access access, std::string_view exchange) {
  return may_use(access, broker::DestinationKind::exchange, exchange);
}

}  // namespace weir::amqp091
