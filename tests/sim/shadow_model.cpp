#include "sim/shadow_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace weir::sim {

void ShadowModel::violate(std::string what) {
  if (violation_.empty()) violation_ = std::move(what);
}

std::string ShadowModel::describe(QueueId queue, AttemptId attempt) const {
  const auto at = queues_.find(queue);
  const std::string name = at == queues_.end() ? "?" : at->second.name;
  if (attempt >= attempts_.size()) return fmt::format("attempt {} in {}#{}", attempt, name, queue.value);
  const Attempt& of = attempts_[attempt];
  return fmt::format("attempt {} (publisher {}, {}{}{}) in {}#{}", attempt, of.publisher,
                     of.persistent ? "persistent" : "transient", of.confirmed ? ", confirmed" : "",
                     of.rejected ? ", rejected" : "", name, queue.value);
}

// --- what clients do and hear ---

AttemptId ShadowModel::publish(Attempt attempt) {
  attempts_.push_back(std::move(attempt));
  return attempts_.size() - 1;
}

void ShadowModel::route(AttemptId attempt, const broker::QueueDefinition& definition) {
  attempts_[attempt].queues.push_back(definition.id);
  if (removed_.contains(definition.id)) return;
  ShadowQueue& queue = queues_[definition.id];
  queue.name = definition.name;
  queue.shard = definition.shard;
  queue.durable = definition.durable && !definition.exclusive;
  queue.copies[attempt].maybe_gone = losing_.contains(definition.id);
}

void ShadowModel::confirm(AttemptId attempt) {
  Attempt& confirmed = attempts_[attempt];
  if (confirmed.rejected) return;
  confirmed.confirmed = true;
  for (const QueueId id : confirmed.queues) {
    const auto queue = queues_.find(id);
    if (queue == queues_.end()) continue;
    if (const auto copy = queue->second.copies.find(attempt); copy != queue->second.copies.end()) {
      copy->second.established = true;
    }
  }
}

void ShadowModel::reject(AttemptId attempt) {
  Attempt& rejected = attempts_[attempt];
  if (rejected.confirmed) violate(fmt::format("attempt {} is rejected after its confirm", attempt));
  rejected.rejected = true;
  for (const QueueId id : rejected.queues) {
    const auto queue = queues_.find(id);
    if (queue == queues_.end()) continue;
    if (const auto copy = queue->second.copies.find(attempt); copy != queue->second.copies.end()) {
      copy->second.maybe_gone = true;  // another shard may have taken it
    }
  }
}

// One seq is one message, and a publisher's messages are in a queue in the order in which it published them.
bool ShadowModel::note_seq(QueueId id, ShadowQueue& queue, AttemptId attempt, Copy& copy, Seq seq) {
  const auto fail_with = [&](std::string_view what) {
    violate(fmt::format("{}: {} at {}", what, describe(id, attempt), seq.value));
    return false;
  };
  if (copy.has_seq && copy.seq != seq) return fail_with("(a) it has another place than before");
  if (copy.has_seq) return true;
  if (!queue.seqs.emplace(seq, attempt).second) return fail_with("(c) the place belongs to another message");
  copy.has_seq = true;
  copy.seq = seq;
  const auto [at, is_new] = queue.order.emplace(std::pair(attempts_[attempt].publisher, seq), attempt);
  if (!is_new) return fail_with("(c) the place belongs to another message of the publisher");
  const auto same_publisher = [&](auto it) { return it->first.first == at->first.first; };
  if (at != queue.order.begin() && same_publisher(std::prev(at)) && std::prev(at)->second >= attempt) {
    return fail_with("(a) it overtook a later one of its publisher");
  }
  if (const auto next = std::next(at);
      next != queue.order.end() && same_publisher(next) && next->second <= attempt) {
    return fail_with("(a) it was overtaken by a later one of its publisher");
  }
  return true;
}

void ShadowModel::gone(QueueId id, Copy& copy, AttemptId attempt) {
  copy.state = Copy::State::gone;
  copy.gone_lsn = Lsn{UINT64_MAX};
  unfirm_[queues_.at(id).shard.value].push_back({id, attempt, false});
}

void ShadowModel::deliver(const node::Delivery& delivery, bool no_ack) {
  ++deliveries_;
  const Result<AttemptId> known = recognise(delivery.message);
  if (!known) return violate(fmt::format("(c) queue {}: {}", delivery.queue.value, known.error().message));
  if (*known >= attempts_.size()) return violate(fmt::format("(c) attempt {} was never made", *known));
  const auto at = queues_.find(delivery.queue);
  const Attempt& attempt = attempts_[*known];
  if (attempt.exchange != delivery.message.exchange || attempt.routing_key != delivery.message.routing_key ||
      attempt.persistent != delivery.message.persistent) {
    return violate("(c) other exchange, key or mode than published: " + describe(delivery.queue, *known));
  }
  const bool routed =
      std::find(attempt.queues.begin(), attempt.queues.end(), delivery.queue) != attempt.queues.end();
  if (!routed)
    return violate("(c) delivered from a queue that it was not routed to: " +
                   describe(delivery.queue, *known));
  if (at == queues_.end()) return;  // of a queue that was deleted
  ShadowQueue& queue = at->second;
  const auto found = queue.copies.find(*known);
  if (found == queue.copies.end()) {
    return violate("(c) delivered, though a restart had not brought it back: " +
                   describe(delivery.queue, *known));
  }
  Copy& copy = found->second;
  if (copy.state == Copy::State::gone)
    return violate("(b) delivered after it was settled: " + describe(delivery.queue, *known));
  if (copy.state == Copy::State::out)
    return violate("(c) delivered twice: " + describe(delivery.queue, *known));
  if (copy.delivered_before && !delivery.redelivered) {
    return violate("(c) not marked as redelivered: " + describe(delivery.queue, *known));
  }
  if (!note_seq(delivery.queue, queue, *known, copy, delivery.seq)) return;
  copy.state = Copy::State::out;
  ++copy.deliveries;
  copy.maybe_gone = false;
  copy.established = true;
  if (no_ack) gone(delivery.queue, copy, *known);
}

void ShadowModel::settle(QueueId id, Seq seq, node::Outcome outcome) {
  const auto at = queues_.find(id);
  if (at == queues_.end()) return;
  const auto attempt = at->second.seqs.find(seq);
  if (attempt == at->second.seqs.end())
    return violate(fmt::format("the simulation settles what it never got: {}", seq.value));
  Copy& copy = at->second.copies.at(attempt->second);
  if (copy.state != Copy::State::out)
    return violate("the simulation settles twice: " + describe(id, attempt->second));
  if (outcome != node::Outcome::requeue) return gone(id, copy, attempt->second);
  copy.state = Copy::State::waiting;
  copy.delivered_before = true;
  copy.maybe_gone = losing_.contains(id);
}

void ShadowModel::doubt_waiting(QueueId id) {
  const auto at = queues_.find(id);
  if (at == queues_.end()) return;
  for (auto& [attempt, copy] : at->second.copies) {
    if (copy.state == Copy::State::waiting) copy.maybe_gone = true;
  }
}

void ShadowModel::lose_taker(QueueId id) {
  doubt_waiting(id);
  losing_.insert(id);
}

std::vector<Waiting> ShadowModel::certainly_waiting(QueueId id) const {
  std::vector<Waiting> waiting;
  const auto at = queues_.find(id);
  if (at == queues_.end() || consumed_.contains(id)) return waiting;
  for (const auto& [attempt, copy] : at->second.copies) {
    if (copy.state == Copy::State::waiting && copy.established && !copy.maybe_gone)
      waiting.push_back({attempt, copy.deliveries});
  }
  return waiting;
}

void ShadowModel::purged(QueueId id, const std::vector<Waiting>& certain) {
  const auto at = queues_.find(id);
  if (at == queues_.end()) return;
  for (const auto& [attempt, deliveries] : certain) {
    const auto copy = at->second.copies.find(attempt);
    if (copy == at->second.copies.end() || copy->second.state != Copy::State::waiting) continue;
    if (copy->second.deliveries != deliveries) continue;  // it was out when the purge came, perhaps
    gone(id, copy->second, attempt);
    unfirm_[at->second.shard.value].back().purged = true;
  }
}

void ShadowModel::establish_all() {
  if (refusals_) return;
  for (auto& [id, queue] : queues_) {
    for (auto& [attempt, copy] : queue.copies)
      copy.established = copy.established || !attempts_[attempt].rejected;
  }
}

// --- the node ---

void ShadowModel::after_turn(node::SimNode& node, std::uint16_t shard) {
  std::vector<Unfirm>& unfirm = unfirm_[shard];
  if (unfirm.empty() || node.failed()) return;  // a shard that has failed logs nothing any more
  const Lsn end = node.shard(shard).journal().end();
  std::erase_if(unfirm, [&](const Unfirm& settled) {
    const auto queue = queues_.find(settled.queue);
    if (queue == queues_.end()) return true;
    const auto copy = queue->second.copies.find(settled.attempt);
    if (copy == queue->second.copies.end()) return true;
    const bool there =
        !settled.purged && node.entry(ShardId{shard}, settled.queue, copy->second.seq) != nullptr;
    if (there) return false;
    copy->second.gone_lsn = end;
    return true;
  });
}

void ShadowModel::judge_found(QueueId id, ShadowQueue& queue, const QueueDump& dump, bool clean,
                              bool shard_clean, Lsn durable) {
  if (dump.out != 0 || dump.ready != dump.messages.size()) {
    violate(fmt::format("(g) {} counts {} ready and {} out after a restart with {}", queue.name, dump.ready,
                        dump.out, dump.messages.size()));
  }
  std::set<AttemptId> seen;
  for (const MessageDump& message : dump.messages) {
    const auto at = queue.copies.find(message.attempt);
    if (at == queue.copies.end()) return violate("(c) invented: " + describe(id, message.attempt));
    Copy& copy = at->second;
    if (!lasts(queue, message.attempt))
      return violate("(c) outlived its life: " + describe(id, message.attempt));
    if (!seen.insert(message.attempt).second)
      return violate("(a) there twice: " + describe(id, message.attempt));
    if (copy.state == Copy::State::gone && (clean || copy.gone_lsn <= durable)) {
      return violate(fmt::format("(b) settled by {}, durable was {}, and came back as seq {}: ",
                                 copy.gone_lsn.value, durable.value, copy.seq.value) +
                     describe(id, message.attempt));
    }
    copy.delivered_before = copy.delivered_before || copy.state != Copy::State::waiting;
    if (!message.redelivered && (!(clean || shard_clean) || copy.delivered_before)) {
      return violate("(a) not marked as perhaps redelivered: " + describe(id, message.attempt));
    }
    if (!note_seq(id, queue, message.attempt, copy, message.seq)) return;
    copy.state = Copy::State::waiting;
    copy.established = true;
    copy.maybe_gone = false;
    copy.gone_lsn = Lsn{UINT64_MAX};
  }
  std::erase_if(queue.copies, [&](auto& item) {
    auto& [attempt, copy] = item;
    if (seen.contains(attempt)) return false;
    const bool must =
        lasts(queue, attempt) && copy.established && copy.state != Copy::State::gone && !copy.maybe_gone;
    if (must) violate("(a) lost: " + describe(id, attempt));
    return copy.state != Copy::State::gone && lasts(queue, attempt) ? false : true;
  });
}

// What was never confirmed may be missing, but only from the end: nothing later of the same publisher is there.
void ShadowModel::judge_missing(QueueId id, ShadowQueue& queue, bool clean) {
  std::unordered_map<std::uint32_t, AttemptId> missing;
  std::erase_if(queue.copies, [&](auto& item) {
    auto& [attempt, copy] = item;
    const std::uint32_t publisher = attempts_[attempt].publisher;
    if (!copy.has_seq || !queue.seqs.contains(copy.seq)) {
      const bool known_reason = copy.maybe_gone || attempts_[attempt].rejected || refusals_;
      if (!known_reason) missing.emplace(publisher, attempt);
      if (!known_reason && clean) violate("(a) lost in an ordered restart: " + describe(id, attempt));
      return true;
    }
    if (missing.contains(publisher)) {
      violate(
          fmt::format("(d) {} is there, but not {} before it", describe(id, attempt), missing[publisher]));
    }
    return false;
  });
}

void ShadowModel::restarted(const NodeDump& dump, bool clean, const std::vector<Lsn>& durable,
                            const std::vector<bool>& shards_clean) {
  if (!dump.problem.empty()) return violate("(a) " + dump.problem);
  unfirm_.clear();
  consumed_.clear();
  losing_.clear();
  for (const auto& [id, found] : dump.queues) {
    if (!found.messages.empty() && !queues_.contains(id)) {
      violate(
          fmt::format("(c) queue {} has {} messages that nobody published", id.value, found.messages.size()));
    }
  }
  std::erase_if(queues_, [&](const auto& item) {
    const bool is_gone = !dump.queues.contains(item.first);
    if (is_gone) removed_.insert(item.first);
    return is_gone;
  });
  for (auto& [id, queue] : queues_) {
    queue.seqs.clear();
    queue.order.clear();
    // Places were for that life, but for those that last.
    for (auto& [attempt, copy] : queue.copies) {
      if (!lasts(queue, attempt)) copy.has_seq = false;
    }
    const QueueDump& found = dump.queues.at(id);
    for (const MessageDump& message : found.messages) {
      const auto copy = queue.copies.find(message.attempt);
      if (copy == queue.copies.end()) continue;
      if (copy->second.has_seq && copy->second.seq != message.seq) {
        violate("(a) it has another place than before: " + describe(id, message.attempt));
      }
      copy->second.has_seq = false;
    }
    judge_found(id, queue, found, clean, !shards_clean.empty() && shards_clean[queue.shard.value],
                durable[queue.shard.value]);
    judge_missing(id, queue, clean);
  }
}

void ShadowModel::drained() {
  for (const auto& [id, queue] : queues_) {
    for (const auto& [attempt, copy] : queue.copies) {
      const bool must = copy.established && copy.state != Copy::State::gone && !copy.maybe_gone;
      if (must) violate("(i) never delivered: " + describe(id, attempt));
    }
  }
}

}  // namespace weir::sim
