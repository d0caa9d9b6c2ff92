// SEND, and the transactions that it may be part of.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "broker/message_extras.h"
#include "protocol/stomp/codec/stored_headers.h"
#include "protocol/stomp/connection.h"

namespace weir::stomp {

namespace {
constexpr node::PublisherNumber publisher = 1;
constexpr std::string_view reply_prefix = "/reply-queue/";
}  // namespace

// `large`: its body has yet to come.
void Connection::begin_send(Chunk* chunk, bool large) {
  const Headers& headers = reader_.headers();
  const auto destination = headers.find("destination");
  if (!destination) return fail("Missing destination", "SEND must include a 'destination' header.");
  if (headers.has("message-id")) return fail("Invalid header", "'message-id' is not allowed on 'SEND'.");
  auto to = parse_destination(*destination);
  if (!to)
    return fail(to.error().code == ErrorCode::not_found ? "Unknown destination" : "Invalid destination",
                to.error().message);
  if (to->kind == Destination::Kind::temp_queue)
    return fail("Invalid destination", fmt::format("'{}' is for reply-to only", *destination));
  const auto properties = read_send_properties(headers, user_);
  if (!properties) return fail(properties.error());
  sending_.emplace();
  Send& send = *sending_;
  send.properties = *properties;
  send.transaction = std::string(headers.value_or("transaction", {}));
  // Only what is large, stays, and takes effect at once goes on in pieces.
  send.large = large && properties->persistent && send.transaction.empty() && reader_.has_length() &&
               reader_.announced_bytes() >= client_.body_sizes().large_bytes;
  if (large && !send.large) {  // it comes here again when it is complete
    sending_.reset();
    return;
  }
  send.receipt = receipt_of();
  send.exchange = to->is_queue() ? std::string() : to->name;
  send.routing_key = to->is_queue() ? to->name : to->key;
  append_stored(send.stored, headers);
  if (send.stored.size() > limits::native_properties_bytes_max)
    return fail("Invalid frame", "The headers are too large");
  if (properties->ttl_ms) {
    broker::MessageExtras extras;
    extras.ttl_ms = properties->ttl_ms;
    broker::append_extras(send.extras, extras);
  }
  send.to = std::move(*to);
  if (!large) send.input = ChunkRef::share(reader_.body_chunk() != nullptr ? reader_.body_chunk() : chunk);
  find_way();
}

// The queues that it needs are there, or are made.
void Connection::find_way() {
  Send& send = *sending_;
  const auto reply_to = find_stored(send.stored, "reply-to");
  if (reply_to && reply_to->starts_with("/temp-queue/")) return make_reply_queue(*reply_to);
  if (send.to.kind == Destination::Kind::queue &&
      client_.topology().find_queue(vhost_, send.routing_key) == nullptr) {
    broker::DeclareQueue request;
    const Headers& headers = reader_.headers();
    request.durable = headers.flag("durable", true).value_or(true);
    request.auto_delete = headers.flag("auto-delete", false).value_or(false);
    request.exclusive = headers.flag("exclusive", false).value_or(false);
    request.arguments = arguments_of(headers);
    return make_queue(send.routing_key, std::move(request), [this] { publish(); });
  }
  publish();
}

void Connection::make_queue(std::string name, broker::DeclareQueue request, std::function<void()> then) {
  if (!may_declare(name, request.arguments)) return;
  request.vhost = vhost_;
  request.name = std::move(name);
  ask([then = std::move(then)](node::ReplyValue&) { then(); });
  session_->declare_queue(std::move(request));
}

// One for each name that the connection uses; what comes to it comes as of a subscription of that name.
void Connection::make_reply_queue(std::string name) {
  const auto use = [this](const std::string& queue) {
    std::string stored;
    bool done = false;
    for_each_stored(sending_->stored, [&](std::string_view header, std::string_view value) {
      const bool first = header == "reply-to" && !std::exchange(done, done || header == "reply-to");
      append_stored(stored, header, first ? std::string(reply_prefix) + queue : std::string(value));
    });
    sending_->stored = std::move(stored);
    find_way();
  };
  if (const Subscription* const known = subscriptions_.find(name)) return use(known->queue);
  if (subscriptions_.size() >= subscriptions_max)
    return fail("Too many subscriptions", fmt::format("at most {} in a connection", subscriptions_max));
  if (!may_declare({}, {})) return;
  ask([this, name, use](node::ReplyValue& declared) {
    const std::string queue = std::get<node::QueueStatus>(declared).name;
    Subscription& subscription = subscriptions_.add(name);
    subscription.queue = queue;
    ask([use, queue](node::ReplyValue&) { use(queue); });
    session_->consume(
        {.queue = queue, .consumer = subscription.number, .tag = name, .no_ack = true, .arguments = {}});
  });
  broker::DeclareQueue request;
  request.vhost = vhost_;
  request.exclusive = request.auto_delete = true;
  session_->declare_queue(std::move(request));
}

node::Publish Connection::publication(broker::HeaderSource& headers) const {
  const Send& send = *sending_;
  return {.publisher = publisher,
          .seq = 0,
          .message = {.native = broker::NativeForm::stomp,
                      .persistent = send.properties.persistent,
                      .priority = send.properties.priority,
                      .exchange = send.exchange,
                      .routing_key = send.routing_key,
                      .extras = send.extras,
                      .properties = as_bytes(send.stored),
                      .body = {},
                      .body_bytes = send.large ? reader_.announced_bytes() : reader_.body().size()},
          .chunk = nullptr,
          .headers = &headers,
          .more_keys = {}};
}

void Connection::publish() {
  if (phase_ != Phase::running) return;
  Send& send = *sending_;
  if (send.large) return begin_large();
  SentHeaders headers(send.stored);
  node::Publish publish = publication(headers);
  const Bytes body = reader_.body();
  publish.message.body = {&body, 1};
  publish.chunk = reader_.body_chunk();
  if (!send.transaction.empty()) {
    OpenTransaction* const transaction = find_transaction(send.transaction);
    if (transaction == nullptr) return;
    const auto published = transaction->work->publish(publish);
    if (!published) return fail(published.error());
    ++channel_counts_[node::ChannelCount::publish];
    if (!send.receipt.empty()) send_receipt(send.receipt);
    return end_send();
  }
  publish.seq = ++published_seq_;
  const auto published = session_->publish(publish);
  if (!published) {
    --published_seq_;
    return fail(published.error());
  }
  ++channel_counts_[node::ChannelCount::publish];
  if (*published == node::PublishResult::unroutable) ++channel_counts_[node::ChannelCount::drop_unroutable];
  if (!send.receipt.empty()) receipts_.push_back({published_seq_, std::move(send.receipt)});
  end_send();
}

void Connection::end_send() {
  sending_.reset();
  note_published();
}

// --- large bodies: handed on piece by piece ---

void Connection::begin_large() {
  SentHeaders headers(sending_->stored);
  const Result<node::BodyBegun> begun = session_->begin_body(publication(headers));
  if (!begun) return fail(begun.error());
  sending_->body = begun->body;
  reader_.pass_body_on();
  note_published();
}

void Connection::take_large(Bytes part) {
  if (!sending_ || sending_->body == node::no_body) return;  // it reaches no queue
  const std::size_t piece_bytes = client_.body_sizes().piece_bytes;
  while (!part.empty()) {
    part = piece_.put(part, piece_bytes);
    if (piece_.full(piece_bytes)) pass_piece_on();
  }
}

void Connection::pass_piece_on() {
  if (piece_.empty()) return;
  session_->append_body(sending_->body, piece_.bytes(), piece_.chunk());
  piece_.next();
}

void Connection::finish_large() {
  if (!sending_) return;
  pass_piece_on();
  piece_.release();
  SentHeaders headers(sending_->stored);
  node::Publish publish = publication(headers);
  publish.seq = ++published_seq_;
  ++channel_counts_[node::ChannelCount::publish];
  session_->finish_body(std::exchange(sending_->body, node::no_body), publish);
  if (!sending_->receipt.empty()) receipts_.push_back({published_seq_, std::move(sending_->receipt)});
  end_send();
}

// --- transactions ---

OpenTransaction* Connection::find_transaction(std::string_view name) {
  const auto found = transactions_.find(name);
  if (found != transactions_.end()) return &found->second;
  fail("Bad transaction", fmt::format("Invalid transaction identifier: {}", name));
  return nullptr;
}

std::string_view Connection::transaction_name() {
  const auto name = reader_.headers().find("transaction");
  if (name && !name->empty()) return *name;
  fail("Missing transaction", fmt::format("{} must include a 'transaction' header.", reader_.command()));
  return {};
}

void Connection::begin_transaction() {
  const std::string_view name = transaction_name();
  if (name.empty()) return;
  if (transactions_.contains(name))
    return fail("Bad transaction", fmt::format("The transaction '{}' has begun already", name));
  if (transactions_.size() >= transactions_max)
    return fail("Too many transactions", fmt::format("at most {} at a time", transactions_max));
  transactions_.emplace(std::string(name), OpenTransaction{session_->begin_transaction(), {}});
  finish_frame();
}

void Connection::commit_transaction() {
  const std::string_view name = transaction_name();
  OpenTransaction* const transaction = name.empty() ? nullptr : find_transaction(name);
  if (transaction == nullptr) return;
  receipts_.push_back({++published_seq_, receipt_of()});
  session_->commit(std::move(transaction->work), publisher, published_seq_);
  transactions_.erase(transactions_.find(name));
  note_published();
}

void Connection::abort_transaction() {
  const std::string_view name = transaction_name();
  OpenTransaction* const transaction = name.empty() ? nullptr : find_transaction(name);
  if (transaction == nullptr) return;
  put_back(transaction->settled);
  transactions_.erase(transactions_.find(name));
  finish_frame();
}

// They are to be acknowledged again.
void Connection::put_back(std::vector<HeldSettlement>& settled) {
  std::map<node::ConsumerNumber, std::vector<Unacked>> by_consumer;
  for (const HeldSettlement& one : settled) by_consumer[one.delivery.consumer].push_back(one.delivery);
  for (auto& [number, taken] : by_consumer) {
    if (Subscription* const of = subscriptions_.find(number)) {
      of->unacked.put_back(taken);
      continue;
    }
    for (const Unacked& one : taken) session_->settle(number, one.queue, one.seq, node::Outcome::failed);
  }
  settled.clear();
}

}  // namespace weir::stomp
