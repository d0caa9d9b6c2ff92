#include "node/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "node/shard_session.h"

namespace weir::node {

namespace {

std::string address_of(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

template <typename Row>
void append(std::vector<Row>& to, std::vector<Row>& from) {
  if (to.empty()) return to.swap(from);
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// Rows of the same thing, which several shards count, become one.
void join_exchanges(std::vector<ExchangeRow>& rows) {
  std::sort(rows.begin(), rows.end(), [](const ExchangeRow& a, const ExchangeRow& b) {
    return std::tie(a.vhost, a.name) < std::tie(b.vhost, b.name);
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (kept > 0 && rows[kept - 1].vhost == rows[i].vhost && rows[kept - 1].name == rows[i].name) {
      rows[kept - 1].counts += rows[i].counts;
      rows[kept - 1].rates += rows[i].rates;
    } else {
      if (kept != i) rows[kept] = std::move(rows[i]);
      ++kept;
    }
  }
  rows.resize(kept);
}

void join_vhosts(std::vector<VhostSums>& rows) {
  std::map<std::string, VhostSums> by_name;
  for (VhostSums& row : rows) {
    VhostSums& sums = by_name[row.name];
    sums.name = row.name;
    sums += row;
  }
  rows.clear();
  for (auto& [name, sums] : by_name) rows.push_back(std::move(sums));
}

}  // namespace

std::string connection_name(const runtime::PeerInfo& peer) {
  return fmt::format("{} -> {}", address_of(peer.address, peer.port),
                     address_of(peer.local_address, peer.local_port));
}

std::optional<double> QueueRow::seconds_to_drain() const {
  using broker::QueueCount;
  const double out =
      rates[QueueCount::ack] + rates[QueueCount::deliver_no_ack] + rates[QueueCount::get_no_ack];
  const double in = rates[QueueCount::publish];
  if (messages() == 0 || out <= in) return std::nullopt;
  return static_cast<double>(messages()) / (out - in);
}

void VhostSums::add(const QueueRow& queue) {
  ++queues;
  consumers += queue.consumers;
  ready += queue.ready;
  unacknowledged += queue.unacknowledged;
  held += queue.held;
  bytes += queue.bytes;
  bytes_unacknowledged += queue.bytes_unacknowledged;
  bytes_persistent += queue.bytes_persistent;
  bytes_in_memory += queue.bytes_in_memory;
  persistent += queue.persistent;
  memory_bytes += queue.memory_bytes;
  counts += queue.counts;
  rates += queue.rates;
  if (queue.oldest_ms != 0 && (oldest_ms == 0 || queue.oldest_ms < oldest_ms)) oldest_ms = queue.oldest_ms;
}

VhostSums& VhostSums::operator+=(const VhostSums& other) {
  queues += other.queues;
  consumers += other.consumers;
  ready += other.ready;
  unacknowledged += other.unacknowledged;
  held += other.held;
  bytes += other.bytes;
  bytes_unacknowledged += other.bytes_unacknowledged;
  bytes_persistent += other.bytes_persistent;
  bytes_in_memory += other.bytes_in_memory;
  persistent += other.persistent;
  memory_bytes += other.memory_bytes;
  counts += other.counts;
  rates += other.rates;
  if (other.oldest_ms != 0 && (oldest_ms == 0 || other.oldest_ms < oldest_ms)) oldest_ms = other.oldest_ms;
  return *this;
}

// --- asking ---

class Observer::Ticket final : public Observing {
 public:
  Ticket(Observer& observer, std::uint64_t number) : observer_(observer), number_(number) {}
  ~Ticket() override { observer_.questions_.erase(number_); }

 private:
  Observer& observer_;
  std::uint64_t number_;
};

std::unique_ptr<Observing> Observer::observe(ObserveScope scope, std::function<void(Observed&&)> done) {
  const std::uint64_t number = next_number_++;
  questions_[number] = {std::move(done), {}, at_.shards};
  for (std::uint16_t shard = 0; shard < at_.shards; ++shard) {
    ObserveAsked question{at_.self, number, scope};
    if (ShardId{shard} == at_.self) {
      asked(std::move(question));
    } else {
      at_.outbox.add(ShardId{shard}, std::make_unique<ObserveAsked>(std::move(question)));
    }
  }
  at_.wake();
  return std::make_unique<Ticket>(*this, number);
}

void Observer::answered(ObserveAnswer answer) {
  const auto at = questions_.find(answer.number);
  if (at == questions_.end()) return;
  Observed& rows = at->second.rows;
  append(rows.queues, answer.rows.queues);
  append(rows.names, answer.rows.names);
  append(rows.consumers, answer.rows.consumers);
  append(rows.sessions, answer.rows.sessions);
  append(rows.exchanges, answer.rows.exchanges);
  append(rows.vhosts, answer.rows.vhosts);
  append(rows.shards, answer.rows.shards);
  append(rows.journeys, answer.rows.journeys);
  if (--at->second.missing > 0) return;
  Question question = std::move(at->second);
  questions_.erase(at);
  join_exchanges(question.rows.exchanges);
  join_vhosts(question.rows.vhosts);
  std::sort(question.rows.shards.begin(), question.rows.shards.end(),
            [](const ShardRow& a, const ShardRow& b) { return a.shard < b.shard; });
  question.rows.at_ms = at_.clock.wall_ms();
  question.done(std::move(question.rows));
}

// --- being asked ---

void Observer::asked(ObserveAsked question) {
  visits_.emplace_back();
  visits_.back().question = std::move(question);
  begin(visits_.back());
  at_.wake();
}

void Observer::begin(Visit& visit) {
  const ObserveScope& scope = visit.question.scope;
  if (scope.queues || scope.names || scope.consumers || scope.sums) {
    visit.queues = !scope.only.empty() ? scope.only
                   : scope.moving      ? at_.host.moving_queue_ids()
                                       : at_.host.queue_ids();
  }
  if (scope.sessions || scope.channels) {
    visit.sessions = scope.session ? std::vector{*scope.session} : at_.sessions.ids();
  }
  visit.exchanges_done = !scope.exchanges;
  const std::size_t reads = std::min(scope.only.size(), oldest_reads_max);
  for (std::size_t i = 0; i < reads && scope.queues && scope.reads_oldest; ++i) {
    const bool asked = at_.host.learn_oldest(scope.only[i], [this, &visit] {
      if (--visit.reads == 0) at_.wake();
    });
    visit.reads += asked ? 1 : 0;
  }
}

bool Observer::has_work() const {
  return sampling_ ||
         std::any_of(visits_.begin(), visits_.end(), [](const Visit& visit) { return visit.reads == 0; });
}

void Observer::step() {
  std::size_t budget = observed_per_turn_max;
  if (sampling_) sample(budget);
  for (auto at = visits_.begin(); at != visits_.end();) {
    if (at->reads > 0) {
      ++at;
      continue;
    }
    if (!go_on(*at, budget)) return;
    Visit done = std::move(*at);
    at = visits_.erase(at);
    finish(done);
  }
}

bool Observer::go_on(Visit& visit, std::size_t& budget) {
  return visit_queues(visit, budget) && visit_sessions(visit, budget) && visit_exchanges(visit, budget);
}

bool Observer::concerns(const ObserveScope& scope, const broker::QueueDefinition& queue) const {
  return queue.role == broker::QueueRole::plain && (!scope.vhost || queue.vhost == *scope.vhost);
}

bool Observer::visit_queues(Visit& visit, std::size_t& budget) {
  const ObserveScope& scope = visit.question.scope;
  for (; visit.queue < visit.queues.size(); ++visit.queue, visit.consumer = 0) {
    if (budget == 0) return false;
    --budget;
    const QueueId id = visit.queues[visit.queue];
    const broker::QueueDefinition* const definition = at_.topology.find_queue(id);
    if (definition == nullptr || !concerns(scope, *definition)) continue;
    if (scope.names) {
      QueueRow row;
      const double key = scope.key != nullptr && at_.host.row_of(id, row) ? scope.key(row) : 0;
      visit.names.push_back({id, definition->vhost, definition->name, key});
      continue;
    }
    if (visit.consumer == 0) {
      QueueRow row;
      if (!at_.host.row_of(id, row)) continue;
      if (scope.sums) {
        VhostSums& sums = visit.vhosts[definition->vhost];
        sums.name = definition->vhost;
        sums.add(row);
      }
      if (scope.queues) visit.rows.queues.push_back(std::move(row));
    }
    if (!scope.consumers) continue;
    const std::size_t room = budget + 1;
    const std::size_t all = at_.host.consumer_rows(id, visit.consumer, room, visit.rows.consumers);
    if (all > visit.consumer + room) {
      visit.consumer += room;
      budget = 0;
      return false;
    }
    budget -= std::min(budget, all - std::min(all, visit.consumer));
  }
  return true;
}

bool Observer::visit_sessions(Visit& visit, std::size_t& budget) {
  const ObserveScope& scope = visit.question.scope;
  for (; visit.session < visit.sessions.size(); ++visit.session) {
    if (budget == 0) return false;
    --budget;
    const ShardSession* const session = at_.sessions.look_at(visit.sessions[visit.session]);
    if (session == nullptr || !is_of_client(session->id()) ||
        (scope.vhost && session->info().vhost != *scope.vhost))
      continue;
    SessionRow row;
    row.id = session->id();
    row.shard = at_.self;
    row.info = session->info();
    row.name = connection_name(row.info.peer);
    row.info.properties = session->properties();
    row.info.grants = nullptr;  // the session's own
    row.connected_at_ms = session->connected_at_ms();
    session->events().describe(row.facts, scope.channels ? &row.channels : nullptr);
    for (ChannelRow& channel : row.channels) channel.session = row.id;
    budget -= std::min(budget, row.channels.size());
    visit.rows.sessions.push_back(std::move(row));
  }
  return true;
}

bool Observer::visit_exchanges(Visit& visit, std::size_t& budget) {
  if (visit.exchanges_done) return true;
  const ObserveScope& scope = visit.question.scope;
  const std::uint64_t now_ms = at_.clock.monotonic_ns() / 1'000'000;
  std::size_t visited = 0;
  const ExchangeUses::Key* const last =
      at_.exchanges.visit(visit.exchange ? &*visit.exchange : nullptr, budget,
                          [&](const ExchangeUses::Key& key, const ExchangeUse& use) {
                            ++visited;
                            if (scope.vhost && key.first != *scope.vhost) return;
                            visit.rows.exchanges.push_back({key.first, key.second, use.counts,
                                                            use.meter.per_second(use.counts, now_ms)});
                          });
  budget -= visited;
  if (last != nullptr) visit.exchange = *last;
  visit.exchanges_done = last == nullptr && (visited > 0 || budget > 0);
  return visit.exchanges_done;
}

void Observer::finish(Visit& visit) {
  for (auto& [name, sums] : visit.vhosts) visit.rows.vhosts.push_back(std::move(sums));
  if (visit.question.scope.journeys)
    visit.rows.journeys = at_.host.journeys().find(*visit.question.scope.journeys);
  if (!visit.names.empty()) visit.rows.names.push_back(std::move(visit.names));
  if (visit.question.scope.shards) visit.rows.shards.push_back(at_.describe_shard());
  ObserveAnswer answer{visit.question.number, std::move(visit.rows)};
  if (visit.question.from == at_.self) return answered(std::move(answer));
  at_.outbox.add(visit.question.from, std::make_unique<ObserveAnswer>(std::move(answer)));
}

// --- samples ---

bool Observer::wants_samples() const {
  return at_.host.has_samples() || at_.sessions.count() > 0 || !at_.exchanges.empty();
}

void Observer::begin_samples() {
  if (sampling_) return;
  sampling_ = true;
  sampled_queues_ = sampled_sessions_ = 0;
  sessions_to_sample_ = at_.sessions.ids();
  sampled_exchange_.reset();
}

void Observer::sample(std::size_t budget) {
  if (at_.host.sample_uses(sampled_queues_, budget)) return;
  if (at_.sessions.sample(sessions_to_sample_, sampled_sessions_, budget)) return;
  const std::uint64_t now_ms = at_.clock.monotonic_ns() / 1'000'000;
  const ExchangeUses::Key* const last = at_.exchanges.visit(
      sampled_exchange_ ? &*sampled_exchange_ : nullptr, budget,
      [&](const ExchangeUses::Key&, ExchangeUse& use) { use.meter.sample(use.counts, now_ms); });
  if (last != nullptr) {
    sampled_exchange_ = *last;
    return;
  }
  sampling_ = false;
  sessions_to_sample_.clear();
}

}  // namespace weir::node
