// SUBSCRIBE and UNSUBSCRIBE.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/mqtt/codec/decode.h"
#include "protocol/mqtt/codec/encode.h"
#include "protocol/mqtt/connection.h"
#include "protocol/mqtt/retained_stores.h"

namespace weir::mqtt {

namespace {

ReasonCode granted(std::uint8_t qos) { return static_cast<ReasonCode>(qos); }

ReasonCode code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::access_refused: return ReasonCode::not_authorized;
    case ErrorCode::limit_exceeded: return ReasonCode::quota_exceeded;
    default: return ReasonCode::implementation_specific_error;
  }
}

}  // namespace

// What says no to a subscription before anything is asked of the broker.
ReasonCode Connection::check(const Subscription& wanted) {
  using Kind = broker::DestinationKind;
  using Access = broker::Access;
  const auto allowed = [&](std::string_view key) {
    return session_->authorize(Access::read, Kind::exchange, settings_.exchange).has_value() &&
           client_.topology()
               .authorize_topic({{user_, identity_.grants.get()}, client_id_}, vhost_, Access::read,
                                settings_.exchange, key)
               .has_value();
  };
  if (subscriptions_.find(wanted.filter) == nullptr &&
      subscriptions_.size() + wanted_.size() >= subscriptions_max)
    return ReasonCode::quota_exceeded;
  if (wanted.filter.starts_with(queue_prefix)) {
    const std::string_view queue = wanted.filter.substr(queue_prefix.size());
    if (client_.topology().find_queue(vhost_, queue) == nullptr) return ReasonCode::topic_filter_invalid;
    if (!session_->authorize(Access::read, Kind::queue, queue)) return ReasonCode::not_authorized;
    return granted(wanted.qos);
  }
  std::string_view filter = wanted.filter;
  const auto shared = is_shared(filter) ? shared_filter(filter) : std::nullopt;
  if (shared) filter = shared->filter;
  if (filter.size() > topic_bytes_most || (shared && shared_queue_of(*shared).size() > topic_bytes_most))
    return ReasonCode::topic_filter_invalid;
  if (!allowed(binding_key_of(filter))) return ReasonCode::not_authorized;
  return granted(wanted.qos);
}

void Connection::subscribe() {
  const Decoded<Subscribe> packet = decode_subscribe(version_, reader_.body());
  if (!packet) return fail(packet.error());
  subscribe_id_ = packet->packet_id;
  codes_.clear();
  wanted_.clear();
  std::vector<Step> steps;
  for (const Subscription& one : packet->subscriptions) {
    // [MQTT-3.8.3-4]
    if (one.no_local && is_shared(one.filter))
      return fail(ReasonCode::protocol_error, "no-local on a shared subscription");
    codes_.push_back(check(one));
    wanted_.push_back({.subscribed = {.filter = std::string(one.filter),
                                      .qos = one.qos,
                                      .no_local = one.no_local,
                                      .retain_as_published = one.retain_as_published,
                                      .id = packet->properties.subscription_id,
                                      .consumer = node::no_consumer,
                                      .queue = {}},
                       .retain_handling = one.retain_handling});
    if (!is_failure(codes_.back())) add_subscribe(steps, codes_.size() - 1);
  }
  add_consume(steps);
  run(std::move(steps), [this] { finish_subscribe(); });
}

// Its queue, its binding, and away with the binding that it had before with other options.
void Connection::add_subscribe(std::vector<Step>& steps, std::size_t index) {
  Subscribed& wish = wanted_[index].subscribed;
  const Subscribed* const before = subscriptions_.find(wish.filter);
  wanted_[index].is_new = before == nullptr;
  if (before != nullptr) {
    wish.consumer = before->consumer;
    wish.queue = before->queue;
  } else {
    add_queue_of(wish);
  }
  const bool own = wish.consumer == node::no_consumer;
  const auto failed_with = [this, index](node::Reply& reply) {
    if (!reply && !is_failure(codes_[index])) codes_[index] = code_of(reply.error());
    return true;
  };
  if (own || lasts_) {
    add_declare(steps);
    steps.push_back({[this, index, binding = binding_of(wish)] {
                       if (is_failure(codes_[index]) || client_.topology().has_binding(binding)) return false;
                       session_->bind(binding);
                       return true;
                     },
                     failed_with});
  }
  if (before != nullptr && arguments_of(*before) != arguments_of(wish) && (own || lasts_)) {
    steps.push_back({[this, binding = binding_of(*before)] {
                       session_->unbind(binding);
                       return true;
                     },
                     [](node::Reply&) { return true; }});
  }
  if (is_shared(wish.filter)) {
    steps.push_back({[this, queue = wish.queue] {
                       auto request = shared_queue_request(queue);
                       if (request) session_->declare_queue(std::move(*request));
                       return request.has_value();
                     },
                     failed_with});
    steps.push_back({[this, index, binding = membership_of(wish)] {
                       if (is_failure(codes_[index]) || client_.topology().has_binding(binding)) return false;
                       session_->bind(binding);
                       return true;
                     },
                     failed_with});
  }
  steps.push_back({[this, index] {
                     if (!is_failure(codes_[index])) subscriptions_.put(wanted_[index].subscribed);
                     return false;
                   },
                   nullptr});
  if (!own && before == nullptr) {
    add_consume_extra(steps, wish.filter);
    steps.push_back({[this, index] {
                       if (is_failure(codes_[index]) || subscriptions_.find(wanted_[index].subscribed.filter))
                         return false;
                       codes_[index] = ReasonCode::implementation_specific_error;
                       return false;
                     },
                     nullptr});
  }
}

void Connection::finish_subscribe() {
  if (phase_ != Phase::running) return;
  send(SubscriptionAck{.type = PacketType::suback, .packet_id = subscribe_id_, .codes = codes_});
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const Wanted& one = wanted_[i];
    const bool sends = one.retain_handling == 0 || (one.retain_handling == 1 && one.is_new);
    if (is_failure(codes_[i]) || !sends || one.subscribed.consumer != node::no_consumer) continue;
    owner_.retained().send(vhost_, one.subscribed.filter, queue_);
  }
  const bool of_sys = std::any_of(wanted_.begin(), wanted_.end(), [](const Wanted& one) {
    return std::string_view(one.subscribed.filter).starts_with(sys_prefix);
  });
  wanted_.clear();
  if (of_sys) watch_sys();
}

void Connection::unsubscribe() {
  const Decoded<Unsubscribe> packet = decode_unsubscribe(version_, reader_.body());
  if (!packet) return fail(packet.error());
  subscribe_id_ = packet->packet_id;
  codes_.clear();
  std::vector<Step> steps;
  for (const std::string_view filter : packet->filters) {
    const Subscribed* const there = subscriptions_.find(filter);
    codes_.push_back(there == nullptr ? ReasonCode::no_subscription_existed : ReasonCode::success);
    if (there != nullptr) add_unsubscribe(steps, *there);
  }
  run(std::move(steps), [this] { finish_unsubscribe(); });
}

void Connection::add_unsubscribe(std::vector<Step>& steps, const Subscribed& subscribed) {
  const auto whatever = [](node::Reply&) { return true; };
  const bool own = subscribed.consumer == node::no_consumer;
  if (own || lasts_) {
    steps.push_back({[this, binding = binding_of(subscribed)] {
                       session_->unbind(binding);
                       return true;
                     },
                     whatever});
  }
  if (!own) {
    steps.push_back({[this, number = subscribed.consumer] {
                       if (subscriptions_.find(number) == nullptr) return false;
                       session_->cancel(number);
                       return true;
                     },
                     [this, number = subscribed.consumer](node::Reply&) {
                       put_back(number);
                       return true;
                     }});
  }
  if (is_shared(subscribed.filter)) add_leave_shared(steps, subscribed);
  steps.push_back({[this, filter = subscribed.filter] {
                     subscriptions_.remove(filter);
                     return false;
                   },
                   nullptr});
}

// What a consumer that has ended had out. What the client has of it, it may still acknowledge: that says nothing any more.
void Connection::put_back(node::ConsumerNumber consumer) {
  flights_.for_each([&](InFlight& flight) {
    if (flight.consumer != consumer || flight.state != Flight::published) return;
    settle(flight, node::Outcome::requeue);
    flights_.remove(flight);
  });
  for (std::size_t left = held_back_.size(); left > 0; --left) {
    HeldDelivery held = std::move(held_back_.front());
    held_back_.pop_front();
    if (held.delivery.consumer != consumer) {
      held_back_.push_back(std::move(held));
      continue;
    }
    if (held.delivery.body != node::no_body) session_->close_body(held.delivery.body);
    session_->settle(consumer, held.delivery.queue, held.delivery.seq, node::Outcome::restore);
  }
  send_held();
}

void Connection::finish_unsubscribe() {
  if (phase_ != Phase::running) return;
  send(SubscriptionAck{.type = PacketType::unsuback, .packet_id = subscribe_id_, .codes = codes_});
  if (watches_sys_) watch_sys();
}

}  // namespace weir::mqtt
