// Large bodies: what comes for them from sessions, and what sessions read of them.
#include "base/log.h"
#include "node/queue_counting.h"
#include "node/queue_host.h"

namespace weir::node {

using broker::Queue;

// --- in ---

void QueueHost::append_body(const Origin& origin, BodyNumber body, std::span<const Bytes> piece,
                            std::size_t bytes) {
  know_wall();
  bodies_.append(writing_[{origin.session, body}], piece, bytes, wall_ms_);
  ack_order_.add(journal_->end(), {origin.session, origin.publisher, 0, bytes, 0}, turn_);
}

void QueueHost::enqueue_large(std::span<const broker::Target> targets, const broker::IncomingMessage& message,
                              const Origin& origin, BodyNumber body) {
  const auto at = writing_.find({origin.session, body});
  if (at == writing_.end() || at->second.failed) {
    ++stats_.rejected;
    ack_order_.add(Lsn{0}, {origin.session, origin.publisher, origin.seq, 0, origin.seq}, turn_);
    return;
  }
  Bodies::Writing& writing = at->second;
  if (!writing.held) {
    writing.held = true;
    bodies_.hold(writing.end);
  }
  broker::MessageExtras extras = broker::view_extras(message.extras);
  extras.pieces = broker::BodyPieces{Seq{writing.end - 1}, writing.bytes};
  extras_.clear();
  broker::append_extras(extras_, extras);
  broker::IncomingMessage large = message;
  large.extras = extras_;
  enqueue(targets, large, origin);
}

void QueueHost::end_body(SessionId session, BodyNumber body) {
  const auto at = writing_.find({session, body});
  if (at == writing_.end()) return;
  bodies_.close(at->second);
  writing_.erase(at);
}

// --- out ---

void QueueHost::on_request(SessionId session, ReadBodyRequest& request) {
  const auto at = links_.find(session);
  if (at == links_.end() || !at->second->bodies.contains(request.end)) return;
  body_reads_.begin(session, request);
}

void QueueHost::on_request(SessionId session, ReleaseBodyRequest& request) {
  const auto at = links_.find(session);
  if (at == links_.end()) return;
  const auto held = at->second->bodies.find(request.end);
  if (held == at->second->bodies.end()) return;
  if (--held->second == 0) at->second->bodies.erase(held);
  bodies_.release(request.end);
}

void QueueHost::release_bodies(Link& of) {
  body_reads_.cancel(of.session);
  for (const auto& [end, count] : of.bodies) {
    for (std::uint32_t i = 0; i < count; ++i) bodies_.release(end);
  }
  of.bodies.clear();
}

// A message whose body can't be read back. It is set aside, not settled: its bytes stay on the disk for repair.
bool QueueHost::set_aside_if_broken(Queue& of, const Queue::Head& head) {
  const std::uint64_t pieces = of.pieces_end(head.seq);
  if (pieces == 0 || !bodies_.is_broken(pieces)) return false;
  ++stats_.damaged;
  log_error("store", "message {} of queue '{}' in vhost '{}' was set aside: its large body is damaged",
            head.seq.value, of.options().name, of.options().vhost);
  count_out(of, head.seq, head.entry, true);
  of.deliver(head, nullptr);
  return true;
}

}  // namespace weir::node
