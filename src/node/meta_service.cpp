#include "node/meta_service.h"

#include <algorithm>

namespace weir::node {

namespace {

constexpr std::string_view everything = "*";

}  // namespace

// A request on everything waits for all, and all wait for it.
bool MetaService::blocked(const std::vector<std::string>& names) const {
  if (names_.empty()) return false;
  if (names_.contains(std::string(everything))) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    if (name == everything) return true;
    if (name.front() == broker::shared_touch) return names_.contains(name.substr(1));
    return names_.contains(name) || names_.contains(broker::shared_touch + name);
  });
}

void MetaService::request(MetaRequest request) {
  std::vector<std::string> names;
  broker::touched_names(at_.topology, request.request, names);
  if (blocked(names)) {
    names_.insert(names.begin(), names.end());
    waiting_.push_back({std::move(request), std::move(names)});
    return;
  }
  decide(std::move(request), std::move(names));
}

void MetaService::decide(MetaRequest request, std::vector<std::string> names) {
  Result<broker::Decision> decision =
      broker::decide(at_.topology, request.actor, request.request, {at_.shards, rng_.next()});
  const auto reply = [&](SessionReply made) {
    if (request.reply) answer(std::move(made));
  };
  if (!decision) return reply({request.actor.session, std::unexpected(decision.error())});
  if (decision->changes.empty()) return reply({request.actor.session, std::move(*decision)});
  auto changes = std::make_shared<const std::vector<broker::Change>>(std::move(decision->changes));
  decision->changes.clear();
  decision->changed = true;
  if (!decision->durable) {
    apply(changes, request.actor.user);
    return reply({request.actor.session, std::move(*decision)});
  }
  log(*changes);
  names_.insert(names.begin(), names.end());
  pending_.push_back({journal_->end(), std::move(changes), std::move(names), request.reply,
                      SessionReply{request.actor.session, std::move(*decision)}, request.actor.user});
}

void MetaService::apply(const Changes& changes, const std::string& user) {
  ++made_;
  at_.apply(changes, user);
}

// --- answers ---

std::uint64_t MetaService::applied_by_all() const {
  std::uint64_t least = made_;
  if (!all_are_up_) return least;
  for (std::size_t shard = 1; shard < applied_by_.size(); ++shard) {
    least = std::min(least, applied_by_[shard]);
  }
  return least;
}

void MetaService::answer(SessionReply reply) {
  if (answers_.empty() && applied_by_all() == made_) return at_.reply(std::move(reply));
  answers_.push_back({made_, std::move(reply)});
}

void MetaService::on_applied(ShardId by, std::uint64_t count) {
  applied_by_[by.value] = count;
  while (!answers_.empty() && answers_.front().changes <= applied_by_all()) {
    SessionReply reply = std::move(answers_.front().reply);
    answers_.pop_front();
    at_.reply(std::move(reply));
  }
}

void MetaService::log(const std::vector<broker::Change>& changes) {
  std::vector<std::byte> encoded;
  for (const broker::Change& change : changes) {
    if (broker::is_durable(change, at_.topology)) broker::encode_change(change, encoded);
  }
  const storage::Journal::Space space = journal_->append(storage::RecordType::meta, 0, QueueId{0}, Seq{0}, 0,
                                                         encoded.size(), storage::Journal::Urgency::wait);
  std::copy(encoded.begin(), encoded.end(), space.bytes.begin());
  journal_->finish();
  newest_record_ = journal_->end();
}

void MetaService::on_durable(Lsn up_to) {
  bool any = false;
  while (!pending_.empty() && pending_.front().lsn <= up_to) {
    Pending done = std::move(pending_.front());
    pending_.pop_front();
    apply(done.changes, done.user);
    for (const std::string& name : done.names) names_.erase(names_.find(name));
    if (done.reply) answer(std::move(done.answer));
    any = true;
  }
  if (!any) return;
  // Those that waited get their turn, in order; some may have to wait again.
  std::deque<Waiting> waiting;
  waiting.swap(waiting_);
  for (const Waiting& next : waiting) {
    for (const std::string& name : next.names) names_.erase(names_.find(name));
  }
  for (Waiting& next : waiting) request(std::move(next.request));
}

}  // namespace weir::node
