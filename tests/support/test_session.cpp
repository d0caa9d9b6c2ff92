#include "support/test_session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/assert.h"

namespace weir::node {

namespace {

class Headers final : public broker::HeaderSource {
 public:
  explicit Headers(const broker::Table& table) : table_(table) {}
  const broker::Table& headers() override { return table_; }

 private:
  const broker::Table& table_;
};

TakenDelivery taken(const Delivery& delivery) {
  const broker::StoredMessage& message = delivery.message;
  const Bytes deaths = broker::view_extras(message.extras).deaths;
  return {delivery.consumer,
          delivery.redelivered,
          delivery.queue,
          delivery.seq,
          message.persistent,
          std::string(message.exchange),
          std::string(message.routing_key),
          std::string(as_text(message.properties)),
          std::string(as_text(message.body)),
          delivery.returns,
          deaths.empty() ? broker::DeathHistory() : broker::decode_deaths(deaths).value()};
}

}  // namespace

TestSession::TestSession(SimNode& node, std::uint16_t shard, std::string user, std::string vhost)
    : TestSession(node, shard, Identity{std::move(user), {}}, std::move(vhost)) {}

TestSession::TestSession(SimNode& node, std::uint16_t shard, Identity who, std::string vhost)
    : TestSession(node, shard,
                  SessionInfo{.user = std::move(who.user),
                              .vhost = std::move(vhost),
                              .protocol = "AMQP 0-9-1",
                              .client = {},
                              .peer = {},
                              .grants = std::move(who.grants),
                              .expires_ms = who.expires_ms}) {}

TestSession::TestSession(SimNode& node, std::uint16_t shard, SessionInfo info) : node_(node), shard_(shard) {
  auto opened = node.shard(shard).open_session(std::move(info), *this);
  WEIR_ASSERT(opened.has_value());
  session_ = std::move(*opened);
}

TestSession::~TestSession() { end(); }

void TestSession::end() {
  if (session_ == nullptr) return;
  node_.turn(shard_, [&] { session_.reset(); });
}

void TestSession::within(const std::function<void(Session&)>& call) {
  node_.turn(shard_, [&] { call(*session_); });
}

Reply TestSession::ask(const std::function<void(Session&)>& call) {
  reply.reset();
  within(call);
  if (!node_.until([&] { return reply.has_value(); })) return fail(ErrorCode::timed_out, "no answer");
  return *reply;
}

QueueStatus TestSession::declare(const std::string& queue, bool durable, bool exclusive, bool auto_delete) {
  broker::DeclareQueue request;
  request.vhost = session_->info().vhost;
  request.name = queue;
  request.durable = durable;
  request.exclusive = exclusive;
  request.auto_delete = auto_delete;
  const Reply answer = ask([&](Session& session) { session.declare_queue(request); });
  if (!answer) {
    ADD_FAILURE() << "declare " << queue << ": " << answer.error().message;
    return {};
  }
  return std::get<QueueStatus>(*answer);
}

QueueStatus TestSession::declare(const std::string& queue, const broker::Table& arguments) {
  broker::DeclareQueue request;
  request.vhost = session_->info().vhost;
  request.name = queue;
  request.durable = true;
  request.arguments = arguments;
  const Reply answer = ask([&](Session& session) { session.declare_queue(request); });
  if (!answer) {
    ADD_FAILURE() << "declare " << queue << ": " << answer.error().message;
    return {};
  }
  return std::get<QueueStatus>(*answer);
}

Status TestSession::declare_exchange(const std::string& exchange, const std::string& type, bool durable) {
  return declare_exchange(exchange, type, broker::Table(), durable);
}

Status TestSession::declare_exchange(const std::string& exchange, const std::string& type,
                                     const broker::Table& arguments, bool durable) {
  broker::DeclareExchange request;
  request.vhost = session_->info().vhost;
  request.name = exchange;
  request.type = type;
  request.durable = durable;
  request.arguments = arguments;
  const Reply answer = ask([&](Session& session) { session.declare_exchange(request); });
  return answer ? Status{} : Status(std::unexpected(answer.error()));
}

Status TestSession::bind(const std::string& exchange, const std::string& queue, const std::string& key) {
  const broker::BindingDefinition binding{
      session_->info().vhost, exchange, broker::DestinationKind::queue, queue, key, {}};
  const Reply answer = ask([&](Session& session) { session.bind(binding); });
  return answer ? Status{} : Status(std::unexpected(answer.error()));
}

std::vector<Result<PublishResult>> TestSession::publish(const std::vector<TestMessage>& messages) {
  std::vector<Result<PublishResult>> results;
  within([&](Session&) { results = publish_inside(messages); });
  return results;
}

std::vector<Result<PublishResult>> TestSession::publish_inside(const std::vector<TestMessage>& messages) {
  std::vector<Result<PublishResult>> results;
  for (const TestMessage& message : messages) {
    Headers headers(message.headers);
    const Bytes body = as_bytes(message.body);
    Publish publish;
    publish.publisher = message.publisher;
    publish.seq = message.confirm ? published[message.publisher] + 1 : 0;
    publish.message.persistent = message.persistent;
    publish.message.priority = message.priority;
    std::vector<std::byte> extras;
    broker::append_extras(extras, message.extras);
    publish.message.extras = extras;
    publish.message.exchange = message.exchange;
    publish.message.routing_key = message.routing_key;
    publish.message.body = std::span(&body, 1);
    publish.message.body_bytes = body.size();
    publish.headers = &headers;
    results.push_back(session_->publish(publish));
    if (results.back() && message.confirm) ++published[message.publisher];
  }
  return results;
}

void TestSession::publish_to(const std::string& queue, const std::vector<std::string>& bodies,
                             bool persistent) {
  std::vector<TestMessage> messages;
  for (const std::string& body : bodies) messages.push_back({"", queue, body, persistent, 0, true});
  for (const Result<PublishResult>& result : publish(messages)) {
    EXPECT_TRUE(result && *result == PublishResult::routed) << "publish to " << queue;
  }
  EXPECT_TRUE(node_.until([&] { return all_confirmed(); })) << "no confirm";
}

bool TestSession::all_confirmed() const {
  return std::all_of(published.begin(), published.end(), [&](const auto& item) {
    const auto at = confirmed.find(item.first);
    return at != confirmed.end() && at->second == item.second;
  });
}

Reply TestSession::consume(const std::string& queue, ConsumerNumber consumer, std::uint32_t prefetch,
                           bool no_ack) {
  ConsumeOptions options;
  options.queue = queue;
  options.consumer = consumer;
  options.prefetch = prefetch;
  options.no_ack = no_ack;
  return ask([&](Session& session) { session.consume(options); });
}

std::optional<TakenDelivery> TestSession::get(const std::string& queue, bool no_ack) {
  got.reset();
  const Reply answer = ask([&](Session& session) { session.get(queue, no_ack); });
  if (!answer) ADD_FAILURE() << "get " << queue << ": " << answer.error().message;
  EXPECT_TRUE(node_.until([&] { return !reading(); }));
  return got;
}

void TestSession::settle(const TakenDelivery& delivery, Outcome outcome) {
  within([&](Session& session) { session.settle(delivery.consumer, delivery.queue, delivery.seq, outcome); });
}

std::uint64_t TestSession::ready(const std::string& queue) {
  broker::DeclareQueue request;
  request.vhost = session_->info().vhost;
  request.name = queue;
  request.passive = true;
  const Reply answer = ask([&](Session& session) { session.declare_queue(request); });
  if (!answer) {
    ADD_FAILURE() << "look at " << queue << ": " << answer.error().message;
    return 0;
  }
  return std::get<QueueStatus>(*answer).messages_ready;
}

std::vector<std::string> TestSession::bodies() const {
  std::vector<std::string> all;
  for (const TakenDelivery& delivery : deliveries) all.push_back(delivery.body);
  return all;
}

// --- what it is told ---

void TestSession::on_reply(Reply answer) {
  if (answer) {
    if (auto* const found = std::get_if<Got>(&*answer); found != nullptr && found->delivery) {
      got = taken(*found->delivery);
      read_large(*found->delivery, SIZE_MAX);
      found->delivery->message = {};  // its views end with the event
    }
  }
  reply = std::move(answer);
  if (on_answer) on_answer();
}

void TestSession::on_confirmed(PublisherNumber publisher, std::uint64_t up_to) {
  EXPECT_GT(up_to, confirmed[publisher]) << "ascending";
  confirmed[publisher] = up_to;
  if (on_confirm) on_confirm(publisher);
}

void TestSession::on_rejected(PublisherNumber publisher, std::uint64_t first, std::uint64_t last) {
  EXPECT_GT(first, confirmed[publisher]) << "told before the confirm of what is above";
  rejected.emplace_back(publisher, first, last);
}

void TestSession::on_delivery(const Delivery& delivery) {
  deliveries.push_back(taken(delivery));
  read_large(delivery, deliveries.size() - 1);
  if (on_message) on_message(TakenDelivery(deliveries.back()));
}

void TestSession::read_large(const Delivery& delivery, std::size_t to) {
  if (delivery.body == no_body) return;
  if (reads_by_hand) return unread.push_back(delivery.body);
  reading_.emplace(delivery.body, ReadingBody{to, delivery.body_bytes});
  session_->read_body(delivery.body);
}

void TestSession::on_body_piece(BodyNumber body, Result<BodyPiece> piece) {
  if (reads_by_hand) {
    pieces.emplace_back(body, piece ? Result<std::string>(std::string(as_text(piece->bytes)))
                                    : Result<std::string>(std::unexpected(piece.error())));
    return;
  }
  ReadingBody& reading = reading_.at(body);
  if (!piece) {
    ADD_FAILURE() << "a body can't be read: " << piece.error().message;
    reading.left_bytes = 0;
  } else {
    std::string& to = reading.delivery == SIZE_MAX ? got->body : deliveries[reading.delivery].body;
    to += as_text(piece->bytes);
    reading.left_bytes -= piece->bytes.size();
  }
  if (reading.left_bytes > 0) return session_->read_body(body);
  session_->close_body(body);
  reading_.erase(body);
}

void TestSession::on_consumer_cancelled(ConsumerNumber consumer, CancelReason reason) {
  cancelled.emplace_back(consumer, reason);
  if (on_cancel) on_cancel();
}

void TestSession::on_publish_flow(bool open, std::string_view alarm) { flow.emplace_back(open, alarm); }

void TestSession::on_close_wanted(const Error& reason) { close_reasons.push_back(reason.message); }

}  // namespace weir::node
