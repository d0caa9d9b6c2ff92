#include "support/sim_node.h"

#include <algorithm>
#include <optional>

#include "node/password.h"
#include "storage/data_directory.h"

namespace weir::node {

storage::JournalOptions small_journal() {
  storage::JournalOptions options;
  options.first_file_bytes = 64U << 10;
  options.file_bytes_max = 256U << 10;
  options.cache_bytes = 256U << 10;
  options.read_cache_bytes = 1U << 20;
  options.batch_bytes_max = 32U << 10;
  options.random_seed = 0x5eed;
  return options;
}

SimNode::SimNode(runtime::SimStorage& machine, SimNodeOptions options)
    : machine_(machine), options_(std::move(options)), rng_(options_.seed) {
  clock_.jump_wall_ms(options_.wall_offset_ms);
}

SimNode::~SimNode() = default;

void SimNode::make_seat(std::uint16_t id) {
  auto seat = std::make_unique<Seat>();
  seat->disk = machine_.open_disk(options_.faults);
  if (options_.wrap_disk) seat->disk = options_.wrap_disk(std::move(seat->disk));
  ShardOptions options;
  options.id = ShardId{id};
  options.shards = options_.shards;
  options.journal = options_.journal;
  options.journal.directory = storage::shard_directory("data", id);
  options.journal.random_seed = options_.journal.random_seed + id;
  options.journal.clock = &clock_;
  options.auth = options_.auth;
  options.transient_bytes_max = options_.transient_bytes_max;
  options.seed = options_.seed + id;
  options.body_sizes = options_.body_sizes;
  options.sample_ms = options_.sample_ms;
  options.headers_of = options_.headers_of;
  options.event_vhost = options_.event_vhost;
  Seat* const woken = seat.get();
  seat->shard = std::make_unique<Shard>(std::move(options),
                                        ShardSurroundings{clock_,
                                                          seat->timers,
                                                          *seat->disk,
                                                          seat->inbox,
                                                          *this,
                                                          counters_,
                                                          [woken] { woken->woken = true; },
                                                          {},
                                                          [this](const Error&) { failed_ = true; }});
  seats_.push_back(std::move(seat));
}

Status SimNode::start() {
  for (std::uint16_t id = 0; id < options_.shards; ++id) make_seat(id);
  std::vector<broker::Change> definitions;
  for (std::uint16_t id = 0; id < options_.shards; ++id) {
    WEIR_TRY(seats_[id]->disk->make_directories(storage::shard_directory("data", id)));
    WEIR_TRY(seats_[id]->shard->recover(definitions));
    seats_[id]->woken = true;
    if (id > 0) continue;
    if (seats_[0]->shard->topology().permissions().empty()) WEIR_TRY(make_defaults());
    seats_[0]->shard->topology().durable_state(definitions);
  }
  seats_[0]->shard->expect_all_shards();
  return {};
}

Status SimNode::make_defaults() {
  std::vector<broker::Request> requests;
  requests.emplace_back(broker::PutVhostRequest{{"/", "Default virtual host"}});
  requests.emplace_back(broker::PutUserRequest{{"guest", hash_known_password("guest"), {"administrator"}}});
  requests.emplace_back(broker::PutPermissionRequest{{"guest", "/", ".*", ".*", ".*"}});
  std::size_t done = 0;
  Status status;
  for (broker::Request& request : requests) {
    seats_[0]->shard->administer(std::move(request), [&](Result<broker::Decision> decision) {
      ++done;
      if (!decision && status) status = std::unexpected(decision.error());
    });
  }
  // The other shards are not there yet: only this one turns, and what it tells them they get as definitions.
  for (unsigned turns = 0; done < requests.size() && !failed_; ++turns) {
    if (turns > steps_max) return fail(ErrorCode::timed_out, "the defaults were not made");
    turn(0);
    clock_.advance_ns(100'000);
  }
  if (failed_) return fail(ErrorCode::io_error, "the journal failed");
  return status;
}

Status SimNode::stop() {
  if (!settle()) return fail(ErrorCode::timed_out, "the node does not come to rest");
  Status status;
  for (auto& seat : seats_) {
    if (Status closed = seat->shard->close(); !closed) status = closed;
  }
  return status;
}

const broker::Entry* SimNode::entry(ShardId shard, QueueId queue, Seq seq) {
  auto* const found = const_cast<broker::Queue*>(seats_[shard.value]->shard->host().find(queue));
  return found == nullptr ? nullptr : found->find(seq);
}

void SimNode::send(ShardId to, std::vector<ShardMessage>& messages) {
  for (ShardMessage& message : messages) seats_[to.value]->mail.push_back(std::move(message));
  messages.clear();
}

void SimNode::bring_mail(Seat& seat) {
  std::size_t count = seat.mail.size();
  if (options_.late_mail && count > 0) count = rng_.below(count + 1);
  for (; count > 0; --count) {
    carried_.push_back(std::move(seat.mail.front()));
    seat.mail.pop_front();
  }
  seat.inbox.push(carried_);
}

void SimNode::turn(std::uint16_t id, const std::function<void()>& inside) {
  Seat& seat = *seats_[id];
  seat.woken = false;
  seat.timers.set_now(now_ms());
  if (inside) inside();
  bring_mail(seat);
  seat.shard->begin_turn();
  seat.timers.advance(now_ms());
  seat.disk->poll();
  seat.shard->end_turn();
  seat.disk->submit();
  if (after_turn) after_turn(id);
}

bool SimNode::due(const Seat& seat) const {
  if (seat.woken || !seat.mail.empty() || seat.disk->in_flight() > 0) return true;
  const std::optional<std::uint64_t> timer = seat.timers.next_due_ms();
  return timer && *timer <= now_ms();
}

bool SimNode::step(std::uint64_t until_ms) {
  clock_.advance_ns(rng_.below(400'000));
  std::size_t count = 0;
  for (const auto& seat : seats_) count += due(*seat) ? 1 : 0;
  if (count == 0) {
    std::optional<std::uint64_t> first;
    for (const auto& seat : seats_) {
      const std::optional<std::uint64_t> timer = seat->timers.next_due_ms();
      if (timer && (!first || *timer < *first)) first = timer;
    }
    if (!first || *first > until_ms) return false;
    clock_.advance_ms(*first - now_ms());
    return true;
  }
  std::size_t chosen = rng_.below(count);
  for (std::uint16_t id = 0; id < shards(); ++id) {
    if (!due(*seats_[id]) || chosen-- > 0) continue;
    turn(id);
    return true;
  }
  return true;
}

bool SimNode::until(const std::function<bool()>& condition, unsigned steps) {
  for (unsigned i = 0; i < steps; ++i) {
    if (condition()) return true;
    if (!step()) return condition();
  }
  return condition();
}

// The scrubber reads for ever.
bool SimNode::quiet() const {
  return std::all_of(seats_.begin(), seats_.end(), [](const auto& seat) {
    return !seat->woken && seat->mail.empty() && seat->shard->quiet() &&
           seat->disk->in_flight() == seat->shard->journal().stats().scrub_reads_in_disk;
  });
}

void SimNode::pass_ms(std::uint64_t ms) {
  const std::uint64_t end_ms = now_ms() + ms;
  while (now_ms() < end_ms && step(end_ms)) {
  }
  if (now_ms() < end_ms) clock_.advance_ms(end_ms - now_ms());
}

}  // namespace weir::node
