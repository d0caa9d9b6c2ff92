// A session's requests: the steps of each, shard by shard, until its one reply.
#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "base/audit_log.h"
#include "node/shard_session.h"
#include "node/walk.h"

namespace weir::node {

void ShardSession::begin(Request request) {
  WEIR_ASSERT(request_ == Request::none);  // one at a time: the front-end waits for the reply
  request_ = request;
  audited_action_ = {};
  audited_changed_ = false;
}

void ShardSession::finish(Reply reply) {
  request_ = Request::none;
  if (!audited_action_.empty()) audit_outcome(reply ? nullptr : &reply.error());
  events_.on_reply(std::move(reply));
}

// What comes by HTTP is told by who answers it, with its status.
void ShardSession::will_audit(std::string_view action, std::string object) {
  if (info_.protocol == "HTTP" || !audit_wanted()) return;
  audited_action_ = action;
  audited_object_ = std::move(object);
}

// A declaration of what was there already is no change.
void ShardSession::audit_outcome(const Error* error) const {
  if (!audited_changed_ && error == nullptr) return;
  const std::string peer = fmt::format("{}:{}", info_.peer.address, info_.peer.port);
  audit({.user = info_.user,
         .peer = peer,
         .protocol = info_.protocol,
         .vhost = info_.vhost,
         .action = audited_action_,
         .object = audited_object_,
         .reason = error != nullptr ? std::string_view(error->message) : std::string_view()});
}

namespace {

std::string object_of(const broker::BindingDefinition& binding) {
  return fmt::format("{} -> {} by {}", binding.source, binding.destination, binding.routing_key);
}

}  // namespace

void ShardSession::to_queue(ShardId shard, decltype(QueueRequest::what) what) {
  if (shard == at_.self) {
    at_.host.request({id_, std::move(what)});
    at_.wake();
  } else {
    at_.outbox.add(shard, std::make_unique<QueueRequest>(QueueRequest{id_, std::move(what)}));
  }
}

void ShardSession::to_meta(broker::Request request) {
  at_.to_meta({at_.self, true, {info_.user, id_}, std::move(request)});
}

// The queue that the session may use: not_found, or resource_locked where it is another connection's.
Result<const broker::QueueDefinition*> ShardSession::find_queue(const std::string& name) {
  broker::DeclareQueue passive;
  passive.vhost = info_.vhost;
  passive.name = name;
  passive.passive = true;
  WEIR_TRY(broker::decide(at_.topology, {info_.user, id_}, passive, {at_.shards, 0}));
  const broker::QueueDefinition* const found = at_.topology.find_queue(info_.vhost, name);
  WEIR_ASSERT(found != nullptr);
  return found;
}

void ShardSession::declare_exchange(broker::DeclareExchange request) {
  begin(Request::definition);
  if (!request.passive) will_audit("exchange.declare", request.name);
  to_meta(std::move(request));
}

void ShardSession::delete_exchange(broker::DeleteExchange request) {
  begin(Request::definition);
  will_audit("exchange.delete", request.name);
  to_meta(std::move(request));
}

Status ShardSession::authorize_topic(const broker::BindingDefinition& binding) const {
  return at_.topology.authorize_topic({who(), info_.client_id}, info_.vhost, broker::Access::read,
                                      binding.source, binding.routing_key);
}

void ShardSession::bind(broker::BindingDefinition binding) {
  begin(Request::definition);
  will_audit("bind", object_of(binding));
  if (const Status may = authorize_topic(binding); !may) return finish(std::unexpected(may.error()));
  to_meta(broker::Bind{std::move(binding)});
}

void ShardSession::unbind(broker::BindingDefinition binding) {
  begin(Request::definition);
  will_audit("unbind", object_of(binding));
  if (const Status may = authorize_topic(binding); !may) return finish(std::unexpected(may.error()));
  to_meta(broker::Unbind{std::move(binding)});
}

void ShardSession::declare_queue(broker::DeclareQueue request) {
  begin(Request::declare_queue);
  if (request.exclusive && !request.passive) owns_exclusive_ = true;
  if (!request.passive) will_audit("queue.declare", request.name);
  to_meta(std::move(request));
}

void ShardSession::delete_queue(std::string queue, bool if_unused, bool if_empty) {
  begin(Request::check_delete);
  will_audit("queue.delete", queue);
  if (at_.topology.find_queue(info_.vhost, queue) == nullptr) return make_sure_of_absence(queue);
  const Result<const broker::QueueDefinition*> found = find_queue(queue);
  if (!found) return finish(std::unexpected(found.error()));
  queue_name_ = std::move(queue);
  deleting_on_ = (*found)->shard;
  used_shards_[deleting_on_.value] = true;  // the promise ends with the session
  to_queue(deleting_on_, CheckDeleteRequest{(*found)->id, if_unused, if_empty});
}

// Gone here, but perhaps not on every shard yet: who hears that a queue is gone finds it nowhere. What the definitions'
// shard answers comes when all shards know what it knows; a queue that it knows of was declared at the same time.
void ShardSession::make_sure_of_absence(const std::string& queue) {
  request_ = Request::absence;
  broker::DeclareQueue passive;
  passive.vhost = info_.vhost;
  passive.name = queue;
  passive.passive = true;
  to_meta(std::move(passive));
}

void ShardSession::purge_queue(std::string queue) {
  begin(Request::queue);
  will_audit("queue.purge", queue);
  const Result<const broker::QueueDefinition*> found = find_queue(queue);
  if (!found) return finish(std::unexpected(found.error()));
  to_queue((*found)->shard, PurgeRequest{(*found)->id});
}

namespace {

// What a step's answer is to the front-end.
struct ToReply {
  ReplyValue operator()(Done done) const { return done; }
  ReplyValue operator()(QueueStatus& status) const { return std::move(status); }
  ReplyValue operator()(Deleted deleted) const { return deleted; }
  ReplyValue operator()(Purged purged) const { return purged; }
  ReplyValue operator()(Consuming consuming) const { return consuming; }
  ReplyValue operator()(Cancelled cancelled) const { return cancelled; }
  ReplyValue operator()(WalkedRef& walked) const { return std::move(walked); }
  ReplyValue operator()(broker::Decision&) const { return Done{}; }
  ReplyValue operator()(GotMessage& got) const {
    Got reply;
    reply.messages_left = got.messages_left;
    if (got.there) {
      reply.delivery =
          Delivery{no_consumer,     got.redelivered, got.queue, got.seq, broker::view_envelope(got.envelope),
                   got.chunk.get(), got.returns};
    }
    return reply;
  }
};

bool makes_change(const decltype(SessionReply::what)::value_type& step) {
  const auto* const decision = std::get_if<broker::Decision>(&step);
  return decision != nullptr ? decision->changed : std::holds_alternative<Purged>(step);
}

}  // namespace

void ShardSession::take_reply(SessionReply reply) {
  const Request step = request_;
  if (step == Request::absence) return finish(Deleted{0});
  if (!reply.what) {  // a consumer that was refused is none
    if (step == Request::remove_queue) to_queue(deleting_on_, CancelDeleteRequest{});
    if (consuming_ != no_consumer) consumers_.erase(std::exchange(consuming_, no_consumer));
    return finish(std::unexpected(std::move(reply.what.error())));
  }
  if (step == Request::declare_queue) {
    const auto& decision = std::get<broker::Decision>(*reply.what);
    audited_changed_ = decision.changed;
    if (audited_changed_) audited_object_ = decision.queue_name;
    request_ = Request::queue;
    return to_queue(decision.queue_shard, StatusRequest{decision.queue, decision.queue_name});
  }
  if (step == Request::check_delete) {
    deleted_ = std::get<Deleted>(*reply.what);
    request_ = Request::remove_queue;
    return to_meta(broker::DeleteQueue{info_.vhost, queue_name_});
  }
  audited_changed_ = audited_changed_ || step == Request::remove_queue || makes_change(*reply.what);
  if (step == Request::remove_queue) return finish(deleted_);
  if (std::holds_alternative<Consuming>(*reply.what)) consuming_ = no_consumer;
  if (const auto* cancelled = std::get_if<Cancelled>(&*reply.what)) consumers_.erase(cancelled->consumer);
  ReplyValue value = std::visit(ToReply{}, *reply.what);
  if (auto* const got = std::get_if<Got>(&value); got != nullptr && got->delivery) {
    open_delivered_body(std::get<GotMessage>(*reply.what).from, *got->delivery);
    if (traced_) [[unlikely]]
      trace_delivery(*got->delivery, get_channel_);
  }
  if (auto* const walked = std::get_if<WalkedRef>(&value)) open_walked_bodies(**walked);
  finish(std::move(value));
}

}  // namespace weir::node
