// The queues of a session: its own, which is bound where it has subscribed, and those that it shares.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/mqtt/connection.h"

namespace weir::mqtt {

namespace {

constexpr std::string_view user_argument = "x-mqtt-user";
// The longest that a queue may be unused: what x-expires can say.
constexpr std::uint64_t expires_ms_max = UINT32_MAX;

}  // namespace

// --- steps ---

// One request at a time; nothing is read meanwhile.
void Connection::run(std::vector<Step> steps, std::function<void()> then) {
  for (Step& step : steps) steps_.push_back(std::move(step));
  then_ = std::move(then);
  wait(for_request);
  go_on();
}

void Connection::go_on() {
  while (!steps_.empty()) {
    const auto begin = std::move(steps_.front().begin);  // it may end the connection, and all steps
    if (begin()) return;                                 // the answer goes on from here
    if (!has_session()) return;
    steps_.pop_front();
  }
  if (const auto then = std::exchange(then_, nullptr)) then();
  if (steps_.empty()) wait_no_more(for_request);
}

void Connection::add_outside_step(std::vector<Step>& steps, std::function<bool()> begin) {
  steps.push_back({std::move(begin), nullptr});
}

void Connection::end_outside_step() {
  if (steps_.empty()) return;
  steps_.pop_front();
  go_on();
}

void Connection::on_reply(node::Reply reply) {
  // The connection failed meanwhile: the session puts back what it did not hand over, and goes at the end of the turn.
  if (steps_.empty()) return;
  Step step = std::move(steps_.front());
  steps_.pop_front();
  const bool goes_on = step.then == nullptr ? reply.has_value() : step.then(reply);
  if (!goes_on) {
    if (!reply && has_session()) fail(ReasonCode::implementation_specific_error, reply.error().message);
    return;
  }
  go_on();
}

// --- the session's own queue ---

bool Connection::queue_is_there() const { return client_.topology().find_queue(vhost_, queue_) != nullptr; }

bool Connection::belongs_to_others() const {
  const broker::QueueDefinition* const queue = client_.topology().find_queue(vhost_, queue_);
  if (queue == nullptr) return false;
  const broker::Value* const user = queue->arguments.find(user_argument);
  return user == nullptr || user->as_string() == nullptr || *user->as_string() != user_;
}

broker::DeclareQueue Connection::queue_request() const {
  broker::DeclareQueue request;
  request.vhost = vhost_;
  request.name = queue_;
  request.durable = lasts_;
  request.exclusive = !lasts_;
  request.arguments.append(std::string(user_argument), {user_});
  if (settings_.session_bytes_max != 0)
    request.arguments.append("x-max-length-bytes", {static_cast<std::int64_t>(settings_.session_bytes_max)});
  if (lasts_ && session_expiry_s_ != never_expires_s) {
    const std::uint64_t expires_ms =
        std::clamp<std::uint64_t>(session_expiry_s_ * 1'000ULL, 1, expires_ms_max);
    request.arguments.append("x-expires", {static_cast<std::int64_t>(expires_ms)});
  }
  return request;
}

void Connection::add_declare(std::vector<Step>& steps) {
  steps.push_back({[this] {
                     broker::DeclareQueue request = queue_request();
                     const auto* const there = client_.topology().find_queue(vhost_, queue_);
                     if (there != nullptr && there->arguments == request.arguments) return false;
                     if (there != nullptr) request.arguments.append("x-update-arguments", {true});
                     session_->declare_queue(std::move(request));
                     return true;
                   },
                   nullptr});
}

// What is sent by QoS 0 only needs no acknowledgements.
void Connection::add_consume(std::vector<Step>& steps) {
  const auto wants_acks = [this] { return lasts_ || subscriptions_.qos_max() > 0; };
  steps.push_back({[this, wants_acks] {
                     if (!consuming_ || !reads_without_acks_ || !wants_acks()) return false;
                     consuming_ = false;
                     session_->cancel(own_);
                     return true;
                   },
                   nullptr});
  steps.push_back({[this, wants_acks] {
                     if (consuming_ || !queue_is_there()) return false;
                     consuming_ = true;
                     reads_without_acks_ = !wants_acks();
                     own_ = ++last_consumer_;
                     session_->consume({.queue = queue_,
                                        .consumer = own_,
                                        .tag = client_id_,
                                        .no_ack = reads_without_acks_,
                                        .prefetch = reads_without_acks_ ? 0U : receive_maximum_,
                                        .arguments = {}});
                     return true;
                   },
                   nullptr});
}

// --- shared subscriptions, and queues of the broker ---

std::string Connection::shared_queue_of(const SharedFilter& shared) const {
  return fmt::format("mqtt-shared-{}-{}", shared.group, shared.filter);
}

// It lasts as long as the longest of its members' sessions without any of them there; nullopt: it does so already.
std::optional<broker::DeclareQueue> Connection::shared_queue_request(const std::string& queue) const {
  std::int64_t expires_ms = shared_queue_expires_ms_min;
  if (lasts_) expires_ms = std::max<std::int64_t>(expires_ms, session_expiry_s_ * 1'000LL);
  const bool for_ever = lasts_ && session_expiry_s_ == never_expires_s;
  const auto* const there = client_.topology().find_queue(vhost_, queue);
  if (there != nullptr) {
    const broker::Value* const set = there->arguments.find("x-expires");
    std::int64_t set_ms = 0;
    if (set == nullptr || !set->as_integer(set_ms) || (!for_ever && set_ms >= expires_ms))
      return std::nullopt;
  }
  broker::DeclareQueue request;
  request.vhost = vhost_;
  request.name = queue;
  request.durable = true;
  if (!for_ever)
    request.arguments.append("x-expires",
                             {std::min<std::int64_t>(expires_ms, static_cast<std::int64_t>(expires_ms_max))});
  if (there != nullptr) request.arguments.append("x-update-arguments", {true});
  return request;
}

broker::BindingDefinition Connection::binding_of(const Subscribed& subscribed) const {
  return {.vhost = vhost_,
          .source = settings_.exchange,
          .kind = broker::DestinationKind::queue,
          .destination = queue_,
          .routing_key = is_shared(subscribed.filter) || subscribed.filter.starts_with(queue_prefix)
                             ? std::string(no_topic)
                             : binding_key_of(subscribed.filter),
          .arguments = arguments_of(subscribed)};
}

// Of a session in a shared queue: each has a binding of its own, by which the queue lives.
broker::BindingDefinition Connection::membership_of(const Subscribed& subscribed) const {
  broker::Table arguments;
  arguments.append(std::string(member_argument), {client_id_});
  return {.vhost = vhost_,
          .source = settings_.exchange,
          .kind = broker::DestinationKind::queue,
          .destination = subscribed.queue,
          .routing_key = binding_key_of(shared_filter(subscribed.filter)->filter),
          .arguments = std::move(arguments)};
}

// Of those that have a consumer of their own.
void Connection::add_consume_extra(std::vector<Step>& steps, std::string filter) {
  steps.push_back({[this, filter] {
                     const Subscribed* const subscribed = subscriptions_.find(filter);
                     if (subscribed == nullptr) return false;
                     session_->consume({.queue = subscribed->queue,
                                        .consumer = subscribed->consumer,
                                        .tag = subscribed->filter,
                                        .no_ack = false,
                                        .prefetch = receive_maximum_,
                                        .arguments = {}});
                     return true;
                   },
                   [this, filter](node::Reply& reply) {
                     if (!reply) subscriptions_.remove(filter);
                     return true;
                   }});
}

// The subscription's membership goes; without members, so does the queue.
void Connection::add_leave_shared(std::vector<Step>& steps, const Subscribed& subscribed) {
  steps.push_back({[this, binding = membership_of(subscribed)] {
                     if (!client_.topology().has_binding(binding)) return false;
                     session_->unbind(binding);
                     return true;
                   },
                   [](node::Reply&) { return true; }});
  steps.push_back({[this, queue = subscribed.queue] {
                     using Kind = broker::DestinationKind;
                     if (!client_.topology().bindings_to(vhost_, Kind::queue, queue).empty()) return false;
                     session_->delete_queue(queue, true, false);
                     return true;
                   },
                   [](node::Reply&) { return true; }});
}

// --- a session that was there before ---

void Connection::restore() {
  if (belongs_to_others())
    return refuse(ReasonCode::client_identifier_not_valid, "the session belongs to another user");
  std::vector<Step> steps;
  const bool there = queue_is_there();
  if (there) load_subscriptions();
  session_present_ = there && !clean_start_;
  lasts_ = session_present_ || session_expiry_s_ > 0;
  if (there && clean_start_) {
    for (const Subscribed& one : subscriptions_.all()) {
      if (is_shared(one.filter)) add_leave_shared(steps, one);
    }
    steps.push_back({[this] {
                       session_->delete_queue(queue_, false, false);
                       return true;
                     },
                     [](node::Reply&) { return true; }});
    subscriptions_.clear();
  }
  const bool has_marks = has_marks_of_before();
  if (has_marks && session_present_) add_marks(steps);
  if (has_marks && !session_present_) add_delete_marks(steps);
  if (lasts_) add_declare(steps);
  steps.push_back({[this] {
                     accept();
                     release_again();
                     return false;
                   },
                   nullptr});
  if (session_present_) {
    add_consume(steps);
    for (const Subscribed& one : subscriptions_.all()) {
      if (one.consumer != node::no_consumer) add_consume_extra(steps, one.filter);
    }
  }
  run(std::move(steps), [] {});
}

void Connection::load_subscriptions() {
  using Kind = broker::DestinationKind;
  for (const broker::BindingDefinition& binding :
       client_.topology().bindings_to(vhost_, Kind::queue, queue_)) {
    auto subscribed = subscribed_by(binding.arguments);
    if (!subscribed) continue;
    add_queue_of(*subscribed);
    subscriptions_.put(std::move(*subscribed));
  }
}

// Where it is not the session's own.
void Connection::add_queue_of(Subscribed& subscribed) {
  if (is_shared(subscribed.filter)) {
    subscribed.queue = shared_queue_of(*shared_filter(subscribed.filter));
  } else if (subscribed.filter.starts_with(queue_prefix)) {
    subscribed.queue = subscribed.filter.substr(queue_prefix.size());
  } else {
    return;
  }
  subscribed.consumer = ++last_consumer_;
}

}  // namespace weir::mqtt
