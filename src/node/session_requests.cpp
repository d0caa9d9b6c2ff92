// A session's requests: the steps of each, shard by shard, until its one reply.
#include <utility>

#include "base/assert.h"
#include "node/shard_session.h"

namespace weir::node {

void ShardSession::begin(Request request) {
  WEIR_ASSERT(request_ == Request::none);  // one at a time: the front-end waits for the reply
  request_ = request;
}

void ShardSession::finish(Reply reply) {
  request_ = Request::none;
  events_.on_reply(std::move(reply));
}

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
  to_meta(std::move(request));
}

void ShardSession::delete_exchange(broker::DeleteExchange request) {
  begin(Request::definition);
  to_meta(std::move(request));
}

Status ShardSession::authorize_topic(const broker::BindingDefinition& binding) const {
  return at_.topology.authorize_topic({who(), info_.client_id}, info_.vhost, broker::Access::read,
                                      binding.source, binding.routing_key);
}

void ShardSession::bind(broker::BindingDefinition binding) {
  begin(Request::definition);
  if (const Status may = authorize_topic(binding); !may) return finish(std::unexpected(may.error()));
  to_meta(broker::Bind{std::move(binding)});
}

void ShardSession::unbind(broker::BindingDefinition binding) {
  begin(Request::definition);
  if (const Status may = authorize_topic(binding); !may) return finish(std::unexpected(may.error()));
  to_meta(broker::Unbind{std::move(binding)});
}

void ShardSession::declare_queue(broker::DeclareQueue request) {
  begin(Request::declare_queue);
  if (request.exclusive && !request.passive) owns_exclusive_ = true;
  to_meta(std::move(request));
}

void ShardSession::delete_queue(std::string queue, bool if_unused, bool if_empty) {
  begin(Request::check_delete);
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
    request_ = Request::queue;
    return to_queue(decision.queue_shard, StatusRequest{decision.queue, decision.queue_name});
  }
  if (step == Request::check_delete) {
    deleted_ = std::get<Deleted>(*reply.what);
    request_ = Request::remove_queue;
    return to_meta(broker::DeleteQueue{info_.vhost, queue_name_});
  }
  if (step == Request::remove_queue) return finish(deleted_);
  if (std::holds_alternative<Consuming>(*reply.what)) consuming_ = no_consumer;
  if (const auto* cancelled = std::get_if<Cancelled>(&*reply.what)) consumers_.erase(cancelled->consumer);
  ReplyValue value = std::visit(ToReply{}, *reply.what);
  if (auto* const got = std::get_if<Got>(&value); got != nullptr && got->delivery)
    open_delivered_body(std::get<GotMessage>(*reply.what).from, *got->delivery);
  finish(std::move(value));
}

}  // namespace weir::node
