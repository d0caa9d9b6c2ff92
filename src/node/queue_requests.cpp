// What sessions ask of a queue, one function a request. The session's shard checked name, permission and exclusivity.
#include <fmt/format.h>

#include "broker/declare_arguments.h"
#include "node/queue_host.h"
#include "node/reports.h"

namespace weir::node {

using broker::Consumer;
using broker::Entry;
using broker::Queue;

namespace {

std::unexpected<Error> no_queue() {
  return fail(ErrorCode::not_found, "no such queue: it was deleted meanwhile");
}

std::string describe(const Queue& queue) {
  return fmt::format("queue '{}' in vhost '{}'", queue.options().name, queue.options().vhost);
}

}  // namespace

void QueueHost::request(QueueRequest request) {
  std::visit([&](auto& what) { on_request(request.session, what); }, request.what);
}

void QueueHost::on_request(SessionId session, ConsumeRequest& request) {
  Queue* const from = queue(request.queue);
  if (from == nullptr || from->kept_unused > 0) return reply(session, no_queue());
  if (const Status good = broker::check_consumer_arguments(request.options.arguments, describe(*from)); !good)
    return reply(session, std::unexpected(good.error()));
  if (broker::is_browser(request.options.arguments))
    return reply(session, browse(session, *from, request.options));
  const bool alone = request.options.exclusive;
  if (alone && from->options().single_active) {
    return reply(session, fail(ErrorCode::access_refused, describe(*from) + " in exclusive use"));
  }
  if (from->has_exclusive_consumer() || (alone && !from->consumers().empty())) {
    return reply(session, fail(ErrorCode::access_refused, describe(*from) + " in exclusive use"));
  }
  Link& owner = link(session);
  if (owner.browsers.contains(request.options.consumer)) {
    return reply(session, fail(ErrorCode::not_allowed, "the consumer's number is in use"));
  }
  auto& slot = owner.consumers[request.options.consumer];
  if (slot != nullptr) {
    return reply(session, fail(ErrorCode::not_allowed, "the consumer's number is in use"));
  }
  slot = std::make_unique<Consumer>();
  slot->session = session;
  slot->number = request.options.consumer;
  slot->tag = std::move(request.options.tag);
  slot->channel = request.options.channel;
  slot->arguments = std::move(request.options.arguments);
  slot->prefetch = request.options.prefetch;
  slot->no_ack = request.options.no_ack;
  slot->exclusive = alone;
  slot->priority = broker::consumer_priority(slot->arguments);
  slot->window = &owner.window;
  slot->holder = &owner;
  if (request.options.pool != 0 && !slot->no_ack) join(owner, *slot, request.options.pool);
  from->attach(*slot);
  tell_consumer("consumer.created", *slot, *from);
  touch(*from);
  mark_dirty(*from);
  reply(session, Consuming{request.options.consumer});
}

void QueueHost::tell_consumer(std::string_view event, const Consumer& consumer, const Queue& of) {
  if (reports_ == nullptr || !reports_->wanted()) return;
  broker::Table facts;
  facts.append("consumer_tag", {consumer.tag});
  facts.append("queue", {of.options().name});
  facts.append("vhost", {of.options().vhost});
  facts.append("exclusive", {consumer.exclusive});
  facts.append("ack_required", {!consumer.no_ack});
  facts.append("prefetch_count", {static_cast<std::int64_t>(consumer.prefetch)});
  facts.append("channel", {static_cast<std::int64_t>(consumer.channel)});
  facts.append("arguments", {consumer.arguments});
  reports_->add(event, std::move(facts));
}

// `lost`: what is out to it comes back.
void QueueHost::detach(Link& owner, ConsumerNumber number, bool lost) {
  end_browser(owner, number);
  const auto at = owner.consumers.find(number);
  if (at == owner.consumers.end()) return;
  Queue* const from = at->second->queue;
  tell_consumer("consumer.deleted", *at->second, *from);
  lost ? from->lose(*at->second) : from->detach(*at->second);
  broker::SharedCredit* const pool = at->second->shared;
  owner.consumers.erase(at);
  if (pool != nullptr) leave_pool(owner, pool);
  touch(*from);
  mark_dirty(*from);
  if (from->options().auto_delete && from->consumers().empty()) {
    delete_queue_(from->id(), QueueEnd::no_consumers);
  }
}

void QueueHost::on_request(SessionId session, CancelRequest& request) {
  if (const auto at = links_.find(session); at != links_.end())
    detach(*at->second, request.consumer, !request.reply);
  if (request.reply) reply(session, Cancelled{request.consumer});
}

void QueueHost::on_request(SessionId session, PrefetchRequest& request) {
  Consumer* const changed = consumer(session, request.consumer);
  if (changed == nullptr) return;
  changed->prefetch = request.prefetch;
  changed->queue->reconsider(*changed);
  mark_dirty(*changed->queue);
}

void QueueHost::on_request(SessionId session, GetRequest& request) {
  Queue* const from = queue(request.queue);
  if (from == nullptr) return reply(session, no_queue());
  touch(*from);
  gets_[request.queue].push_back({session, request.no_ack});
  // A get behind other gets waits its turn; else it is answered at once, unless the message is on the disk.
  if (!from->loading) serve_gets(request.queue);
}

void QueueHost::on_request(SessionId session, WalkRequest& request) { walks_.begin(session, request); }

void QueueHost::on_request(SessionId session, StatusRequest& request) {
  Queue* const of = queue(request.queue);
  if (of == nullptr) return reply(session, no_queue());
  touch(*of);  // a declaration asks for this
  ++traffic_->queues_declared;
  reply(session, QueueStatus{request.name, request.queue, of->ready(),
                             static_cast<std::uint32_t>(of->consumers().size())});
}

void QueueHost::on_request(SessionId session, PurgeRequest& request) {
  Queue* const from = queue(request.queue);
  if (from == nullptr) return reply(session, no_queue());
  const std::uint64_t count = from->purge([&](Seq seq, const Entry& entry) {
    ++stats_.settled;
    note_step(from->id(), seq, "purged");
    note_settled(*from, seq, entry, from->pieces_end(seq));
  });
  if (from->settled_runs.empty()) return reply(session, Purged{count});
  // What is told to be gone stays gone.
  log_all_runs(*from, storage::Journal::Urgency::wait);
  late_replies_.push_back({journal_->end(), session, Purged{count}});
}

void QueueHost::on_request(SessionId session, CheckDeleteRequest& request) {
  Queue* const what = queue(request.queue);
  if (what == nullptr) return reply(session, Deleted{0});
  if (request.if_unused && !what->consumers().empty()) {
    return reply(session, fail(ErrorCode::precondition_failed, describe(*what) + " in use"));
  }
  if (request.if_empty && what->total() > 0) {
    return reply(session, fail(ErrorCode::precondition_failed, describe(*what) + " not empty"));
  }
  if (request.if_unused || request.if_empty) {
    // What the caller saw stays true until the deletion, which may take a commit, and may not come.
    Link& deleter = link(session);
    end_promise(deleter);
    deleter.promised = request;
    what->kept_empty += request.if_empty ? 1 : 0;
    what->kept_unused += request.if_unused ? 1 : 0;
  }
  reply(session, Deleted{what->ready()});
}

void QueueHost::end_promise(Link& link) {
  if (!link.promised) return;
  if (Queue* const to = queue(link.promised->queue)) {
    to->kept_empty -= link.promised->if_empty ? 1 : 0;
    to->kept_unused -= link.promised->if_unused ? 1 : 0;
  }
  link.promised.reset();
}

void QueueHost::on_request(SessionId session, CancelDeleteRequest& /*request*/) {
  if (const auto at = links_.find(session); at != links_.end()) end_promise(*at->second);
}

void QueueHost::on_request(SessionId session, EndSessionRequest& /*request*/) {
  walks_.end_session(session);
  const auto at = links_.find(session);
  if (at == links_.end()) return;
  Link& ended = *at->second;
  end_promise(ended);
  while (!ended.browsers.empty()) end_browser(ended, ended.browsers.begin()->first);
  release_bodies(ended);
  while (!ended.consumers.empty()) detach(ended, ended.consumers.begin()->first, true);
  links_.erase(session);
}

}  // namespace weir::node
