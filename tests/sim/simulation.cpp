#include "sim/simulation.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::sim {

namespace {

constexpr std::size_t trace_lines = 60;
constexpr unsigned nested_crashes_max = 3;

template <typename T, std::size_t N>
T pick(Rng& rng, const T (&from)[N]) {
  return from[rng.below(N)];
}

}  // namespace

Scenario::Scenario(std::uint64_t its_seed) : seed(its_seed), journal(node::small_journal()) {
  Rng rng(seed * 7919 + 1);
  shards = static_cast<std::uint16_t>(1 + rng.below(3));
  lives = static_cast<unsigned>(1 + rng.below(6));
  turns_per_life = static_cast<unsigned>(30 + rng.below(rng.chance(1, 3) ? 3000 : 600));
  clients = static_cast<unsigned>(1 + rng.below(7));
  journal.first_file_bytes = pick(rng, {64U << 10, 128U << 10, 256U << 10});
  journal.file_bytes_max = journal.first_file_bytes * pick(rng, {1U, 1U, 4U});
  journal.cache_bytes = pick(rng, {16U << 10, 64U << 10, 1U << 20});
  journal.read_cache_bytes = pick(rng, {64U << 10, 1U << 20});
  journal.checkpoint_bytes = pick(rng, {1U, 256U << 10, 1U << 20, 128U << 20});
  journal.clean_gain_bytes =
      pick(rng, {std::uint64_t{1}, std::uint64_t{64U << 10}, std::uint64_t{UINT64_MAX}});
  journal.clean_file_bytes = pick(rng, {32U << 10, 1U << 20});
  journal.clean_survey_ms = pick(rng, {1U, 20U});
  journal.clean_bytes_per_second = pick(rng, {1U << 20, 1U << 30});
  journal.batch_bytes_max = pick(rng, {4U << 10, 32U << 10, 1U << 20});
  journal.commits_in_flight_max = static_cast<unsigned>(1 + rng.below(4));
  journal.random_seed = rng.next();
  late_mail = rng.chance(1, 2);
  big_bodies = rng.chance(1, 4);
  slow_one_in = rng.chance(1, 3) ? static_cast<std::uint32_t>(2 + rng.below(20)) : 0;
  write_error_one_in = rng.chance(1, 6) ? static_cast<std::uint32_t>(50 + rng.below(400)) : 0;
  full_disks = rng.chance(1, 4);
  transient_bytes_max = rng.chance(1, 5) ? 20'000 : UINT64_MAX;
  journal.scrub_bytes_per_second = pick(rng, {0U, 1U << 30});
  journal.scrub_interval_ms = 10;
  if (rng.chance(1, 2))
    body_sizes = {pick(rng, {200U, 2000U, 10'000U}), pick(rng, {100U, 700U, 4096U, 30'000U})};
}

std::string Scenario::describe() const {
  return fmt::format(
      "seed {}: {} shards, {} clients, {} lives of up to {} turns, files from {} to {}, cache {}, "
      "checkpoints of {}, cleaned for {}, "
      "batches to {}, {} in "
      "flight{}{}{}, large from {}, slow 1/{}, write errors 1/{}",
      seed, shards, clients, lives, turns_per_life, journal.first_file_bytes, journal.file_bytes_max,
      journal.cache_bytes, journal.checkpoint_bytes, journal.clean_gain_bytes, journal.batch_bytes_max,
      journal.commits_in_flight_max, late_mail ? ", late mail" : "", big_bodies ? ", big bodies" : "",
      full_disks ? ", full disks" : "", body_sizes.large_bytes, slow_one_in, write_error_one_in);
}

Simulation::Simulation(const Scenario& scenario, bool verbose)
    : scenario_(scenario),
      verbose_(verbose),
      machine_(scenario.seed),
      world_(scenario.seed),
      settings_(scenario.seed + 23) {
  plan_.rng = Rng(scenario.seed + 17);
  world_.big_bodies = scenario.big_bodies;
  world_.body_sizes = scenario.body_sizes;
  world_.trace = [this](const std::string& line) { note(line); };
  durable_.assign(scenario.shards, Lsn{0});
  note(scenario.describe());
}

Simulation::~Simulation() {
  world_.down = true;
  clients_.clear();
}

void Simulation::note(const std::string& line) {
  if (verbose_) fmt::print("{}\n", line);
  trace_.push_back(line);
  if (trace_.size() > trace_lines) trace_.pop_front();
}

// --- a life ---

void Simulation::new_client() {
  const auto shard = static_cast<std::uint16_t>(world_.rng.below(scenario_.shards));
  clients_.push_back(std::make_unique<SimClient>(world_, shard, next_client_++));
}

void Simulation::replace_client(std::size_t which) {
  SimClient& leaving = *clients_[which];
  node_->turn(leaving.shard(), [&] { leaving.finish(); });
  clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(which));
  new_client();
}

void Simulation::client_turn() {
  const std::size_t which = world_.rng.below(clients_.size());
  if (world_.rng.chance(1, 150)) return replace_client(which);
  SimClient& client = *clients_[which];
  node_->turn(client.shard(), [&] { client.act(); });
}

// So that messages have somewhere to go from the start.
void Simulation::furnish() {
  new_client();
  SimClient& client = *clients_.back();
  for (unsigned i = 0; i < 60 && !node_->failed(); ++i) {
    node_->turn(client.shard(), [&] { client.furnish(); });
    node_->until([&] { return node_->failed() || !client.waits(); });
  }
}

void Simulation::live(unsigned turns) {
  while (clients_.size() < scenario_.clients) new_client();
  for (unsigned i = 0; i < turns && !node_->failed() && !over(); ++i) {
    if (scenario_.full_disks && faults_ && world_.rng.chance(1, 60)) {
      plan_.full = !plan_.full;
      if (plan_.full) world_.model.refusals_are_possible();
      note(plan_.full ? "the disk is full" : "the disk has room");
    }
    if (node_->quiet()) {
      at_rest();
      const std::string wrong = check_counts(*node_);
      if (!wrong.empty()) world_.model.violate(wrong);
    }
    settings_.act(*node_);
    if (world_.rng.chance(1, 2)) {
      client_turn();
    } else {
      node_->step();
    }
  }
}

// Whatever was under way is decided, and every queue and shard has heard of it.
void Simulation::at_rest() {
  world_.stale_names.clear();
  world_.model.at_rest();
  if (world_.contested_names.empty()) return;
  world_.contested_names.clear();
  const std::string wrong = world_.known.judge(node_->shard(0).topology());
  if (!wrong.empty()) world_.model.violate(wrong);
}

// --- ends and beginnings ---

void Simulation::crash(End how) {
  note(how == End::kill ? "--- kill" : "--- power loss");
  world_.down = true;
  for (auto& client : clients_) client->doubt();
  for (std::uint16_t shard = 0; shard < scenario_.shards; ++shard) {
    durable_[shard] = node_->shard(shard).journal().durable();
  }
  how == End::kill ? machine_.kill() : machine_.crash();
  clients_.clear();
  node_.reset();
}

bool Simulation::stop_in_order() {
  note("--- ordered end");
  for (auto& client : clients_) {
    node_->turn(client->shard(), [&] { client->finish(); });
  }
  clients_.clear();
  const Status stopped = node_->stop();
  if (stopped) {
    for (std::uint16_t shard = 0; shard < scenario_.shards; ++shard) {
      durable_[shard] = node_->shard(shard).journal().durable();
    }
    node_.reset();
    return true;
  }
  note("the end was not in order: " + stopped.error().message + journals());
  if (!node_->failed() && !plan_.full) world_.model.violate("(i) no ordered end: " + stopped.error().message);
  return false;
}

void Simulation::count_background_work() {
  for (std::uint16_t shard = 0; shard < scenario_.shards; ++shard) {
    const storage::Journal::Stats stats = node_->shard(shard).journal().stats();
    checkpoints_ += stats.checkpoints;
    clean_passes_ += stats.clean_passes;
    if (stats.scrub_findings > 0) world_.model.violate("(g) the scrubber finds damage where there is none");
  }
}

void Simulation::end(End how) {
  count_background_work();
  const bool clean = how == End::ordered && !node_->failed() && stop_in_order();
  if (!clean) crash(how == End::ordered ? End::kill : how);
  if (over()) return;
  ++restarts_;
  begin(faults_ && !clean && world_.rng.chance(1, 3));
  if (over()) return;
  judge_restart(clean, how == End::ordered);
  if (faults_ && !over() && world_.rng.chance(1, 3)) judge_twice();
}

Status Simulation::boot(node::SimNode*) {
  node::SimNodeOptions options;
  options.shards = scenario_.shards;
  options.seed = world_.rng.next();
  options.journal = scenario_.journal;
  options.late_mail = scenario_.late_mail;
  options.transient_bytes_max = scenario_.transient_bytes_max;
  options.body_sizes = scenario_.body_sizes;
  if (faults_) {
    options.faults.slow_one_in = scenario_.slow_one_in;
    options.faults.write_error_one_in = scenario_.write_error_one_in;
    options.faults.short_write_one_in = scenario_.write_error_one_in;
  }
  plan_.lie_polls = faults_ ? scenario_.lie_polls : 0;
  options.wrap_disk = [this](std::unique_ptr<runtime::Disk> disk) {
    return std::make_unique<runtime::FaultDisk>(std::move(disk), plan_);
  };
  node_ = std::make_unique<node::SimNode>(machine_, std::move(options));
  world_.node = node_.get();
  const Status started = node_->start();
  if (started) {
    node_->after_turn = [this](std::uint16_t shard) { world_.model.after_turn(*node_, shard); };
  }
  return started;
}

void Simulation::begin(bool nested) {
  for (unsigned crashes = 0;; ++crashes) {
    plan_.died = false;
    plan_.changes_left = nested && crashes < nested_crashes_max ? world_.rng.below(14) : UINT64_MAX;
    const Status started = boot(nullptr);
    const bool died = plan_.died;
    plan_.changes_left = UINT64_MAX;
    if (started && !died) break;
    note("a start fails: " + (started ? "the process died" : started.error().message));
    const bool expected = died || node_->failed() || plan_.full;
    world_.rng.chance(1, 2) ? machine_.crash() : machine_.kill();
    node_.reset();
    plan_.full = false;
    if (!expected) return world_.model.violate("a start fails: " + started.error().message);
  }
  world_.down = false;
  world_.busy_names.clear();
  world_.stale_names.clear();
  world_.contested_names.clear();
}

void Simulation::judge_restart(bool clean, bool tried_in_order) {
  const NodeDump dump = dump_node(*node_);
  note(fmt::format("judging a restart, {}", clean ? "clean" : "not clean"));
  if (first_) return;
  std::vector<bool> shards_clean;
  for (std::uint16_t shard = 0; shard < scenario_.shards; ++shard)
    shards_clean.push_back(tried_in_order && node_->shard(shard).recovery().clean);
  world_.model.restarted(dump, clean, durable_, shards_clean);
  const std::string wrong = world_.known.restarted(node_->shard(0).topology());
  if (!wrong.empty()) world_.model.violate(wrong);
  const std::string lost = settings_.restarted(node_->shard(0).topology());
  if (!lost.empty()) world_.model.violate(lost);
  const std::string disagreement = check_agreement(*node_);
  if (!disagreement.empty()) world_.model.violate(disagreement);
}

// A recovery that was followed by nothing but a crash, recovered again, is the same.
void Simulation::judge_twice() {
  const NodeDump before = dump_node(*node_);
  crash(world_.rng.chance(1, 2) ? End::kill : End::power_loss);
  begin(false);
  if (over()) return;
  const NodeDump after = dump_node(*node_);
  bool same = before.queues.size() == after.queues.size() && before.definitions == after.definitions;
  for (const auto& [id, queue] : before.queues) {
    const auto at = after.queues.find(id);
    if (at == after.queues.end() || at->second.messages.size() != queue.messages.size()) {
      same = false;
      continue;
    }
    for (std::size_t i = 0; i < queue.messages.size(); ++i) {
      const MessageDump &was = queue.messages[i], &is = at->second.messages[i];
      same = same && was.seq == is.seq && was.attempt == is.attempt && (is.redelivered || !was.redelivered);
    }
  }
  if (!same)
    world_.model.violate("(f) what is recovered twice is not what was recovered once: " + after.problem);
  world_.model.restarted(after, false, durable_);
}

// --- without faults, to the end ---

void Simulation::judge_rest() {
  for (const std::string& wrong :
       {check_agreement(*node_), world_.known.judge(node_->shard(0).topology()), check_counts(*node_)}) {
    if (!wrong.empty()) world_.model.violate(wrong);
  }
}

void Simulation::drain() {
  std::vector<std::string> names;
  for (const broker::QueueDefinition* queue : node_->shard(0).topology().queues("/"))
    names.push_back(queue->name);
  for (const std::string& name : names) {
    new_client();
    SimClient& client = *clients_.back();
    node_->turn(client.shard(), [&] { client.drain(name); });
  }
  if (!node_->settle()) return world_.model.violate("(i) the queues do not drain");
  std::vector<QueueId> gone;
  for (const auto& [id, queue] : world_.model.queues()) {
    const broker::QueueDefinition* definition = node_->shard(0).topology().find_queue(id);
    if (definition == nullptr) gone.push_back(id);
  }
  for (const QueueId id : gone) world_.model.remove_queue(id);
  world_.model.drained();
  for (std::uint16_t shard = 0; shard < scenario_.shards; ++shard) {
    for (const auto& [id, queue] : world_.model.queues()) {
      const broker::Queue* held = queue.shard.value == shard ? node_->shard(shard).host().find(id) : nullptr;
      if (held != nullptr && held->total() > 0) {
        world_.model.violate(fmt::format("(i) {} messages are left in {}", held->total(), queue.name));
      }
    }
  }
}

std::string Simulation::journals() const {
  std::string state;
  for (std::uint16_t shard = 0; shard < scenario_.shards; ++shard) {
    storage::Journal& journal = node_->shard(shard).journal();
    const storage::Journal::Stats stats = journal.stats();
    state += fmt::format(
        "; shard {}: {} room, {} log files, {} segments, {} pending, {} checkpoints, {} cleaned, {} at work",
        shard, journal.has_room() ? "has" : "no", stats.files, stats.segments, journal.pending_bytes(),
        stats.checkpoints, stats.clean_passes, journal.next_tend_ms() > 0 ? "is" : "not");
  }
  return state;
}

void Simulation::finish() {
  note("--- no more faults");
  faults_ = false;
  plan_.full = false;
  if (scenario_.write_error_one_in > 0) end(End::kill);
  if (over()) return;
  for (auto& client : clients_) node_->turn(client->shard(), [&] { client->calm(); });
  const auto answered = [&] {
    return std::none_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->waits(); });
  };
  if (!node_->until(answered)) {
    for (const auto& client : clients_) {
      if (client->waits()) return world_.model.violate("(i) " + client->describe_waiting());
    }
  }
  for (auto& client : clients_) node_->turn(client->shard(), [&] { client->finish(); });
  clients_.clear();
  if (!node_->settle()) return world_.model.violate("(i) the node does not come to rest" + journals());
  at_rest();
  world_.model.establish_all();
  judge_rest();
  if (over()) return;
  drain();
  if (over()) return;
  node_->pass_ms(2'000);
  for (auto& client : clients_) {
    if (client->may_publish()) continue;
    world_.model.violate("(i) publishers are still stopped" + journals());
  }
  for (auto& client : clients_) node_->turn(client->shard(), [&] { client->finish(); });
  clients_.clear();
  if (!node_->settle()) return world_.model.violate("(i) the node does not come to rest" + journals());
  node_->pass_ms(500);
  judge_rest();
  if (node_->counters().transient_bytes.load() != 0) {
    world_.model.violate(
        fmt::format("(g) {} bytes of memory are kept", node_->counters().transient_bytes.load()));
  }
  for (std::uint16_t shard = 0; shard < scenario_.shards; ++shard) {
    const storage::Journal::Stats stats = node_->shard(shard).journal().stats();
    if (stats.files > 2) {
      world_.model.violate(fmt::format("(g) shard {} keeps {} files of {} bytes for nothing", shard,
                                       stats.files, stats.log_bytes));
    }
    const node::Bodies& bodies = node_->shard(shard).host().bodies();
    if (bodies.queue().total() > 0 || bodies.count() > 0) {
      world_.model.violate(fmt::format("(g) shard {} keeps {} pieces of {} bodies for nothing", shard,
                                       bodies.queue().total(), bodies.count()));
    }
    if (stats.segments > 0) {
      world_.model.violate(fmt::format("(g) shard {} keeps {} segments for nothing", shard, stats.segments));
    }
  }
  if (!over()) end(End::ordered);
}

Outcome Simulation::run() {
  begin(world_.rng.chance(1, 4));
  judge_restart(false, false);
  first_ = false;
  furnish();
  for (unsigned life = 0; life < scenario_.lives && !over(); ++life) {
    live(static_cast<unsigned>(world_.rng.below(scenario_.turns_per_life)));
    if (over() || life + 1 == scenario_.lives) break;
    const std::uint64_t dice = world_.rng.below(10);
    end(dice < 5 ? End::power_loss : dice < 8 ? End::kill : End::ordered);
  }
  if (!over()) finish();
  Outcome outcome;
  outcome.violation = world_.model.violation();
  outcome.trace.assign(trace_.begin(), trace_.end());
  outcome.attempts = world_.model.attempts();
  outcome.confirmed = world_.confirmed;
  outcome.rejected = world_.rejected;
  outcome.deliveries = world_.model.deliveries();
  outcome.restarts = restarts_;
  outcome.checkpoints = checkpoints_;
  outcome.clean_passes = clean_passes_;
  return outcome;
}

}  // namespace weir::sim
