// Messages: published to an exchange, taken from a queue or looked at.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "admin/call.h"
#include "admin/call_session.h"
#include "admin/json_entry.h"
#include "admin/json_value.h"
#include "admin/resources.h"
#include "admin/utf8.h"
#include "base/limits.h"
#include "protocol/http/codec/base64.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

// A larger message does not come in JSON: it would be in memory as a whole, more than once.
constexpr std::size_t payload_bytes_max = limits::message_bytes_default;
// Escaped or as base64, and what is beside it.
constexpr std::size_t publish_body_bytes_max = 2 * payload_bytes_max + small_body_bytes_max;
// What one call may take out of a queue into memory; the rest stays for the next. A payload is not shown beyond it.
constexpr std::size_t get_bytes_max = 32U << 20;

// With the code that AMQP has for it, as clients of this API know it.
std::string coded(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found: return "404 NOT_FOUND - " + error.message;
    case ErrorCode::access_refused: return "403 ACCESS_REFUSED - " + error.message;
    case ErrorCode::precondition_failed: return "406 PRECONDITION_FAILED - " + error.message;
    default: return error.message;
  }
}

// --- publishing ---

// nullopt: the call is refused.
std::optional<PlainMessage> read_message(Call& call) {
  const json::object* const body = call.json();
  if (body == nullptr || call.lacks({"properties", "routing_key", "payload", "payload_encoding"}))
    return std::nullopt;
  const json::value value(*body);
  JsonEntry entry(value, "message", "");
  PlainMessage message;
  message.exchange = call.capture("name") == "amq.default" ? "" : call.capture("name");
  message.routing_key = entry.name("routing_key");
  message.properties = entry.table("properties");
  message.body = entry.required_text("payload");
  const std::string encoding = entry.required_text("payload_encoding");
  if (call.refuse_bad(entry.status())) return std::nullopt;
  if (encoding == "base64") {
    auto decoded = http::base64_decode(message.body);
    if (!decoded) {
      call.bad_request("not_base64");
      return std::nullopt;
    }
    message.body = std::move(*decoded);
  } else if (encoding != "string") {
    call.bad_request(fmt::format("unsupported_encoding: {}", encoding));
    return std::nullopt;
  }
  const std::size_t bytes_max = std::min(call.api().facts().message_bytes_max, payload_bytes_max);
  if (message.body.size() <= bytes_max) return message;
  call.bad_request(
      fmt::format("406 PRECONDITION_FAILED - message size {} is larger than configured max size {}",
                  message.body.size(), bytes_max));
  return std::nullopt;
}

void publish(Call& call) {
  const auto message = read_message(call);
  if (!message) return;
  const auto session = CallSession::open(call);
  if (session == nullptr) return;
  session->on_error = [](Call& refused, const Error& error) {
    if (error.code == ErrorCode::overloaded) return refused.refuse(error);
    refused.bad_request(coded(error));
  };
  session->publish(*message, [call = call.keep()](bool routed) { call->ok({{"routed", routed}}); });
}

// --- getting ---

struct Getting {
  std::shared_ptr<CallSession> session;
  std::string queue;
  std::int64_t left = 0;
  bool no_ack = false;
  node::Outcome outcome = node::Outcome::requeue;
  bool base64 = false;
  std::size_t shown_bytes_max = SIZE_MAX;
  std::size_t bytes = 0;
  std::vector<std::pair<QueueId, Seq>> taken;
  json::array messages;
};

// All but the payload, and the payload's place.
json::object message_view(const node::Got& got, std::uint64_t body_bytes, const broker::Table& properties) {
  const node::Delivery& delivery = *got.delivery;
  json::object view;
  view["payload_bytes"] = body_bytes;
  view["redelivered"] = delivery.redelivered;
  view["exchange"] = delivery.message.exchange;
  view["routing_key"] = delivery.message.routing_key;
  view["message_count"] = got.messages_left;
  view["properties"] = to_json(properties);
  if (properties.empty()) view["properties"] = json::array();  // as RabbitMQ writes it
  view["payload"] = "";
  view["payload_encoding"] = "string";
  return view;
}

void finish(Getting& getting) {
  for (const auto& [queue, seq] : getting.taken) getting.session->settle(queue, seq, getting.outcome);
  getting.session->call().ok(getting.messages);
}

void get_next(const std::shared_ptr<Getting>& getting);

void add_payload(const std::shared_ptr<Getting>& getting, std::string_view payload) {
  json::object& view = getting->messages.back().get_object();
  const bool as_base64 = getting->base64 || !is_utf8(payload);
  view["payload"] = as_base64 ? http::base64_encode(payload) : std::string(payload);
  view["payload_encoding"] = as_base64 ? "base64" : "string";
  getting->bytes += payload.size();
  --getting->left;
  get_next(getting);
}

void take(const std::shared_ptr<Getting>& getting, const node::Got& got) {
  if (!got.delivery) return finish(*getting);
  const node::Delivery& delivery = *got.delivery;
  CallSession& session = *getting->session;
  const bool large = delivery.body != node::no_body;
  const std::uint64_t bytes = large ? delivery.body_bytes : delivery.message.body.size();
  const PlainMessages& forms = session.call().api().at().messages;
  getting->messages.push_back(message_view(got, bytes, forms.properties_of(delivery)));
  getting->bytes += delivery.message.properties.size();
  if (!getting->no_ack) getting->taken.emplace_back(delivery.queue, delivery.seq);
  if (!large) return add_payload(getting, as_text(delivery.message.body).substr(0, getting->shown_bytes_max));
  const std::size_t shown =
      std::min({getting->shown_bytes_max, static_cast<std::size_t>(bytes), get_bytes_max});
  session.read(delivery.body, shown,
               [getting](const std::string& payload) { add_payload(getting, payload); });
}

void get_next(const std::shared_ptr<Getting>& getting) {
  if (getting->left <= 0 || getting->bytes > get_bytes_max) return finish(*getting);
  CallSession& session = *getting->session;
  session.request([&](node::Session& broker) { broker.get(getting->queue, getting->no_ack); },
                  [getting](node::ReplyValue& value) { take(getting, std::get<node::Got>(value)); });
}

// False: the call is refused.
bool read_getting(Call& call, Getting& getting) {
  const json::object* const body = call.json();
  if (body == nullptr || call.lacks({"ackmode", "count", "encoding"})) return false;
  const json::value value(*body);
  JsonEntry entry(value, "get", "");
  const std::string mode = entry.required_text("ackmode"), encoding = entry.required_text("encoding");
  getting.left = entry.integer_or("count", 0);
  const std::int64_t shown = entry.integer_or("truncate", -1);
  if (shown >= 0) getting.shown_bytes_max = static_cast<std::size_t>(shown);
  if (call.refuse_bad(entry.status())) return false;
  getting.no_ack = mode == "ack_requeue_false";
  getting.base64 = encoding == "base64";
  if (mode == "reject_requeue_false") getting.outcome = node::Outcome::discard;
  const bool requeues = mode == "ack_requeue_true" || mode == "reject_requeue_true";
  if (!getting.no_ack && !requeues && getting.outcome != node::Outcome::discard) {
    call.bad_request(fmt::format("unknown ackmode: {}", mode));
    return false;
  }
  if (encoding == "auto" || encoding == "base64") return true;
  call.bad_request("Unsupported encoding. Please use auto or base64.");
  return false;
}

// Messages that are put back are marked as redelivered, as in RabbitMQ.
void get(Call& call) {
  const auto getting = std::make_shared<Getting>();
  if (!read_getting(call, *getting)) return;
  getting->queue = call.capture("name");
  getting->session = CallSession::open(call);
  if (getting->session == nullptr) return;
  getting->session->on_error = [weak = std::weak_ptr(getting)](Call& refused, const Error& error) {
    if (const auto held = weak.lock()) {
      for (const auto& [queue, seq] : held->taken) held->session->settle(queue, seq, node::Outcome::requeue);
    }
    if (error.code == ErrorCode::not_found)
      return refused.refuse(404, "not_found", "NOT_FOUND - " + error.message);
    if (error.code == ErrorCode::access_refused)
      return refused.not_authorised("ACCESS_REFUSED - " + error.message);
    refused.refuse(error);
  };
  if (!getting->session->may(broker::Access::read, broker::DestinationKind::queue, getting->queue)) return;
  get_next(getting);
}

constexpr Route routes[] = {
    {"POST",
     "/api/exchanges/:vhost/:name/publish",
     Needs::a_user,
     publish,
     "Publishes a message; answered when it is safe",
     {Gives::value, "properties*:object routing_key*:string payload*:string payload_encoding*:string"},
     publish_body_bytes_max,
     false,
     true},
    {"POST",
     "/api/queues/:vhost/:name/get",
     Needs::a_user,
     get,
     "Takes messages from a queue, or puts them back",
     {Gives::value, "ackmode*:string count*:integer encoding*:string truncate:integer"},
     small_body_bytes_max,
     false,
     true},
};

}  // namespace

std::span<const Route> message_routes() { return routes; }

}  // namespace weir::admin
