// SUBSCRIBE, UNSUBSCRIBE, ACK and NACK.
#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "protocol/stomp/codec/stored_headers.h"
#include "protocol/stomp/connection.h"

namespace weir::stomp {

namespace {

std::optional<AckMode> ack_mode(std::string_view word) {
  if (word == "auto") return AckMode::automatic;
  if (word == "client") return AckMode::cumulative;
  if (word == "client-individual") return AckMode::individual;
  return std::nullopt;
}

std::optional<std::uint32_t> parse_count(std::string_view text) {
  std::uint32_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [at, wrong] = std::from_chars(text.data(), end, count);
  if (wrong != std::errc() || at != end) return std::nullopt;
  return count;
}

// The same for a client that comes again.
std::string durable_name(std::string_view destination, std::string_view id) {
  const std::string text = std::string(destination) + '\0' + std::string(id);
  std::array<unsigned char, 16> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  std::string out = "stomp-subscription-";
  for (const unsigned char byte : hash) out += fmt::format("{:02x}", byte);
  return out;
}

// A message that is passed over is done with: others, who might have wanted it, must not depend on the queue.
Result<std::optional<broker::Selector>> selector_of(const Headers& headers, const Destination& from) {
  const std::string text = headers.plain(headers.value_or("selector", {}));
  if (text.empty()) return std::nullopt;
  if (from.is_queue() && headers.value_or("x-browse", {}) != "true")
    return weir::fail(
        ErrorCode::invalid_argument,
        "'selector' is for /topic and /exchange, and for who only looks ('x-browse:true'): a queue is "
        "shared, and what one passes over others would miss");
  if (!from.is_queue() && headers.has("x-queue-name"))
    return weir::fail(ErrorCode::invalid_argument,
                      "'selector' is not for a queue that others can name: leave 'x-queue-name' out");
  Result<broker::Selector> selector = broker::Selector::parse(text);
  if (!selector) return std::unexpected(std::move(selector).error());
  return std::move(*selector);
}

struct MessageId {
  node::ConsumerNumber number = node::no_consumer;
  std::uint64_t tag = 0;
};

// "<subscription>@@<session>@@<tag>"
std::optional<MessageId> parse_message_id(std::string_view text, std::string_view session) {
  constexpr std::string_view at = "@@";
  MessageId id;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, id.number);
  if (first.ec != std::errc()) return std::nullopt;
  std::string_view rest(first.ptr, static_cast<std::size_t>(end - first.ptr));
  for (const std::string_view part : {at, session, at}) {
    if (!rest.starts_with(part)) return std::nullopt;
    rest.remove_prefix(part.size());
  }
  const auto last = std::from_chars(rest.data(), rest.data() + rest.size(), id.tag);
  if (last.ec != std::errc() || last.ptr != rest.data() + rest.size()) return std::nullopt;
  return id;
}

}  // namespace

void Connection::subscribe() {
  const Headers& headers = reader_.headers();
  const auto destination = headers.find("destination");
  if (!destination) return fail("Missing destination", "SUBSCRIBE must include a 'destination' header.");
  const auto from = parse_destination(*destination);
  if (!from)
    return fail(from.error().code == ErrorCode::not_found ? "Unknown destination" : "Invalid destination",
                from.error().message);
  if (from->kind == Destination::Kind::temp_queue)
    return fail("Invalid destination", fmt::format("'{}' is for reply-to only", *destination));
  // A client of 1.0 may leave the id out: the destination is it.
  const auto given = headers.find("id");
  if (!given && version_ != Version::v1_0)
    return fail("Missing Header", "SUBSCRIBE must include an 'id' header.");
  const std::string id(given.value_or(*destination));
  if (subscriptions_.find(id) != nullptr)
    return fail("Duplicated subscription identifier",
                fmt::format("A subscription identified by '{}' already exists.", id));
  if (subscriptions_.size() >= subscriptions_max)
    return fail("Too many subscriptions", fmt::format("at most {} in a connection", subscriptions_max));
  const auto ack = ack_mode(headers.value_or("ack", "auto"));
  if (!ack) return fail("Invalid header", "'ack' is one of auto, client, client-individual");
  auto selector = selector_of(headers, *from);
  if (!selector) return fail("Invalid header", selector.error().message);
  const auto prefetch = parse_count(headers.value_or("prefetch-count", "0"));
  if (!prefetch) return fail("Invalid header", "'prefetch-count' is a number");
  for (const std::string_view name : {"durable", "auto-delete", "exclusive"}) {
    if (!headers.flag(name, false)) return fail("Invalid header", fmt::format("'{}' is true or false", name));
  }
  Subscription& made = subscriptions_.add(id);
  made.ack = *ack;
  made.prefetch = *prefetch;
  made.selector = std::move(*selector);
  if (from->is_queue()) return subscribe_to_queue(*from);
  subscribe_to_exchange(*from);
}

void Connection::subscribe_to_queue(const Destination& from) {
  const bool there = client_.topology().find_queue(vhost_, from.name) != nullptr;
  if (from.kind != Destination::Kind::queue || there) return consume(from.name);
  const Headers& headers = reader_.headers();
  broker::DeclareQueue request;
  request.durable = *headers.flag("durable", true);
  request.auto_delete = *headers.flag("auto-delete", false);
  request.exclusive = *headers.flag("exclusive", false);
  request.arguments = arguments_of(headers);
  make_queue(from.name, std::move(request), [this, name = from.name] { consume(name); });
}

// A queue of its own, bound to the exchange: it goes with the subscription, unless that is durable.
void Connection::subscribe_to_exchange(const Destination& from) {
  const Headers& headers = reader_.headers();
  if (!may(broker::Access::read, broker::DestinationKind::exchange, from.name)) return;
  const std::string id(headers.value_or("id", headers.value_or("destination", {})));
  Subscription& subscription = *subscriptions_.find(id);
  subscription.durable = *headers.flag("durable", false) && !*headers.flag("auto-delete", false);
  broker::DeclareQueue request;
  request.durable = *headers.flag("durable", false);
  request.auto_delete = !subscription.durable;
  request.exclusive = *headers.flag("exclusive", !subscription.durable);
  request.arguments = arguments_of(headers);
  std::string name(headers.value_or("x-queue-name", {}));
  if (name.empty() && subscription.durable) name = durable_name(headers.value_or("destination", {}), id);
  if (!name.empty() && !may(broker::Access::write, broker::DestinationKind::queue, name)) return;
  if (!may_declare(name, request.arguments)) return;
  request.vhost = vhost_;
  request.name = std::move(name);
  ask([this, exchange = from.name, key = from.key](node::ReplyValue& declared) {
    const std::string queue = std::get<node::QueueStatus>(declared).name;
    ask([this, queue](node::ReplyValue&) { consume(queue); });
    session_->bind({.vhost = vhost_,
                    .source = exchange,
                    .kind = broker::DestinationKind::queue,
                    .destination = queue,
                    .routing_key = key,
                    .arguments = {}});
  });
  session_->declare_queue(std::move(request));
}

// The last step of the SUBSCRIBE that is being handled.
void Connection::consume(std::string queue) {
  if (!may(broker::Access::read, broker::DestinationKind::queue, queue)) return;
  const Headers& headers = reader_.headers();
  const std::string id(headers.value_or("id", headers.value_or("destination", {})));
  Subscription& subscription = *subscriptions_.find(id);
  subscription.queue = queue;
  const bool automatic = subscription.ack == AckMode::automatic;
  const std::uint32_t prefetch =
      subscription.prefetch == 0 ? unacked_per_subscription_max : subscription.prefetch;
  broker::Table arguments = arguments_of(headers);
  ask([this](node::ReplyValue&) { finish_frame(); });
  session_->consume({.queue = std::move(queue),
                     .consumer = subscription.number,
                     .tag = id,
                     .no_ack = automatic,
                     .exclusive = subscription.selector && subscription.durable,
                     .prefetch = automatic ? 0 : prefetch,
                     .arguments = std::move(arguments)});
}

void Connection::unsubscribe() {
  const Headers& headers = reader_.headers();
  const auto id = headers.has("id") ? headers.find("id") : headers.find("destination");
  if (!id) return fail("Missing Header", "UNSUBSCRIBE must include an 'id' or 'destination' header.");
  Subscription* const subscription = subscriptions_.find(*id);
  if (subscription == nullptr)
    return fail("Subscription not found", fmt::format("UNSUBSCRIBE: there is no subscription '{}'.", *id));
  // Which must be said once more, for all that waits goes with it.
  const bool forget = subscription->durable && headers.flag("durable", false).value_or(false) &&
                      !headers.flag("auto-delete", false).value_or(true);
  ask([this, number = subscription->number, forget](node::ReplyValue&) {
    Subscription* const ended = subscriptions_.find(number);
    if (ended == nullptr) return finish_frame();
    ended->unacked.take_all([&](const Unacked& one) {
      session_->settle(one.consumer, one.queue, one.seq, node::Outcome::requeue);
    });
    const std::string queue = ended->queue;
    subscriptions_.remove(*ended);
    if (!forget) return finish_frame();
    if (!may(broker::Access::configure, broker::DestinationKind::queue, queue)) return;
    ask([this](node::ReplyValue&) { finish_frame(); });
    session_->delete_queue(queue, false, false);
  });
  session_->cancel(subscription->number);
}

void Connection::settle(bool accept) {
  const Headers& headers = reader_.headers();
  const std::string_view command = reader_.command();
  const std::string_view header = version_ == Version::v1_2 ? "id" : "message-id";
  const auto text = headers.find(header);
  if (!text) return fail("Missing Header", fmt::format("{} must include a '{}' header.", command, header));
  const auto id = parse_message_id(*text, session_name_);
  if (!id)
    return fail("Invalid message-id",
                fmt::format("{}: '{}' is not one of this connection's.", command, *text));
  Subscription* const of = subscriptions_.find(id->number);
  if (of == nullptr || of->ack == AckMode::automatic)
    return fail("Subscription not found",
                fmt::format("Message with id '{}' has no subscription that is acknowledged", *text));
  const auto requeue = headers.flag("requeue", true);
  if (!requeue) return fail("Invalid header", "'requeue' is true or false");
  const node::Outcome outcome = accept     ? node::Outcome::accept
                                : *requeue ? node::Outcome::failed
                                           : node::Outcome::discard;
  OpenTransaction* transaction = nullptr;
  if (const auto name = headers.find("transaction"); name && !name->empty()) {
    transaction = find_transaction(*name);
    if (transaction == nullptr) return;
  }
  Status held;
  const auto settle_one = [&](const Unacked& one) {
    if (transaction == nullptr) return session_->settle(one.consumer, one.queue, one.seq, outcome);
    if (held) held = transaction->work->settle(one.consumer, one.queue, one.seq, outcome);
    transaction->settled.push_back({one, outcome});
  };
  Unacked one;
  const std::size_t before = of->unacked.size();
  const bool known = of->ack == AckMode::cumulative ? of->unacked.take_through(id->tag, settle_one)
                                                    : of->unacked.take(id->tag, one);
  if (!known)
    return fail("Invalid message-id", fmt::format("{}: '{}' was acknowledged before.", command, *text));
  if (of->ack == AckMode::individual) settle_one(one);
  if (!held) return fail(held.error());
  if (accept) channel_counts_[node::ChannelCount::ack] += before - of->unacked.size();
  finish_frame();
}

}  // namespace weir::stomp
