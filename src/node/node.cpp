#include "node/node.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <random>
#include <thread>

#include "base/assert.h"
#include "base/log.h"
#include "base/meter.h"
#include "node/password.h"
#include "runtime/process_stats.h"
#include "runtime/workers.h"
#include "storage/data_directory.h"

namespace weir::node {
namespace {

constexpr int exit_io_error = 74;  // EX_IOERR

class ThreadedNode final : public Node, private Peers {
 public:
  explicit ThreadedNode(NodeOptions options) : options_(std::move(options)) {}
  ~ThreadedNode() override { end_threads(); }

  Status begin();
  std::uint16_t shards() const override { return static_cast<std::uint16_t>(seats_.size()); }
  BrokerClient& client(ShardId shard) override { return *seats_[shard.value]->shard; }
  runtime::Loop& loop(ShardId shard) override { return *seats_[shard.value]->loop; }
  void run_on(ShardId shard, const std::function<void()>& call) override;
  Status administer(std::vector<broker::Request> requests) override;
  void administer_one(broker::Request request, std::function<void(Result<broker::Decision>)> done) override {
    seats_[0]->shard->administer(std::move(request), std::move(done));
  }
  bool offload(ShardId shard, std::function<void()> work, std::function<void()> done) override {
    return workers_->submit(std::move(work), *seats_[shard.value]->loop, std::move(done));
  }
  bool first_start() const override { return first_start_; }
  void set_alarm(const char* alarm) override;
  void close_sessions(const Error& reason) override;
  std::uint64_t session_count() override;
  Status stop() override;

 private:
  struct Seat {
    std::unique_ptr<runtime::Loop> loop;
    std::unique_ptr<runtime::Inbox<ShardMessage>> inbox;
    std::unique_ptr<Shard> shard;
    std::thread thread;
  };
  // A loop runs before its shard is there: recovery happens on the shard's own thread.
  class Turn final : public runtime::TurnHandler {
   public:
    explicit Turn(Seat& seat) : seat_(seat) {}
    bool begin_turn() override { return live && seat_.shard->begin_turn(); }
    void end_turn() override {
      if (live) seat_.shard->end_turn();
    }
    bool live = false;

   private:
    Seat& seat_;
  };

  void send(ShardId to, std::vector<ShardMessage>& messages) override {
    seats_[to.value]->inbox->push(messages);
  }
  Status make_seats(std::uint16_t shards, std::uint64_t seed);
  Status recover(std::uint16_t first, std::uint16_t end, const std::vector<broker::Change>& definitions);
  bool defaults_are_missing();
  Status make_defaults();
  void end_threads();

  NodeOptions options_;
  SharedCounters counters_;
  std::unique_ptr<runtime::Workers> workers_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<std::unique_ptr<Turn>> turns_;
  bool first_start_ = false;
};

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

Status ThreadedNode::make_seats(std::uint16_t shards, std::uint64_t seed) {
  for (std::uint16_t id = 0; id < shards; ++id) {
    auto seat = std::make_unique<Seat>();
    Result<std::unique_ptr<runtime::Loop>> loop = runtime::Loop::make(options_.loop);
    if (!loop) return std::unexpected(loop.error());
    seat->loop = std::move(*loop);
    runtime::Loop* const woken = seat->loop.get();
    seat->inbox = std::make_unique<runtime::Inbox<ShardMessage>>([woken] { woken->wake(); });
    seats_.push_back(std::move(seat));
    turns_.push_back(std::make_unique<Turn>(*seats_.back()));
  }
  for (std::uint16_t id = 0; id < shards; ++id) {
    ShardOptions options;
    options.id = ShardId{id};
    options.shards = shards;
    options.node_name = options_.node_name;
    options.journal = options_.journal;
    options.journal.directory = storage::shard_directory(options_.data_directory, id);
    options.auth = options_.auth;
    options.headers_of = options_.headers_of;
    if (options_.events) options.event_vhost = options_.default_vhost;
    options.tracing = options_.tracing;
    options.transient_bytes_max = options_.transient_bytes_max;
    options.seed = seed + id;
    options.sample_ms = meter_interval_ms;
    Seat& seat = *seats_[id];
    runtime::Loop& loop = *seat.loop;
    // Unguessable: no client can craft a body that passes for a batch of the log.
    options.journal.random_seed = random_seed();
    options.journal.clock = &loop.clock();
    WEIR_TRY(loop.disk().make_directories(options.journal.directory));
    ShardSurroundings surroundings{loop.clock(),
                                   loop.timers(),
                                   loop.disk(),
                                   *seat.inbox,
                                   *this,
                                   counters_,
                                   [&loop] { loop.wake(); },
                                   [this, &loop](std::function<void()> work, std::function<void()> done) {
                                     return workers_->submit(std::move(work), loop, std::move(done));
                                   },
                                   [](const Error&) {
                                     // Nothing more may be confirmed: what is on the disk is what the next start finds.
                                     ::_exit(exit_io_error);
                                   },
                                   runtime::thread_cpu_ns};
    seat.shard = std::make_unique<Shard>(std::move(options), std::move(surroundings));
  }
  return {};
}

// Each shard on its own thread, all at a time.
Status ThreadedNode::recover(std::uint16_t first, std::uint16_t end,
                             const std::vector<broker::Change>& definitions) {
  std::vector<std::promise<Status>> recovered(shards());
  for (std::uint16_t id = first; id < end; ++id) {
    seats_[id]->loop->post([&, id] {
      Status status = seats_[id]->shard->recover(definitions);
      turns_[id]->live = status.has_value();
      recovered[id].set_value(std::move(status));
    });
  }
  Status status;
  for (std::uint16_t id = first; id < end; ++id) {
    if (Status one = recovered[id].get_future().get(); !one) status = std::move(one);
  }
  return status;
}

Status ThreadedNode::begin() {
  const std::uint64_t seed = random_seed();
  const std::uint16_t wanted =
      options_.shards != 0 ? options_.shards
                           : static_cast<std::uint16_t>(std::max(1U, std::thread::hardware_concurrency()));
  Result<std::unique_ptr<runtime::Loop>> first = runtime::Loop::make(options_.loop);
  if (!first) return std::unexpected(first.error());
  WEIR_TRY((*first)->disk().make_directories(options_.data_directory));
  const Result<storage::NodeIdentity> identity =
      storage::open_identity((*first)->disk(), options_.data_directory, wanted, seed);
  if (!identity) return std::unexpected(identity.error());
  if (identity->shards != wanted && options_.shards != 0) {
    log_warning("store", "the data directory was made for {} shards: that number is kept", identity->shards);
  }
  workers_ = runtime::make_workers(1);
  WEIR_TRY(make_seats(identity->shards, seed));
  for (std::size_t id = 0; id < seats_.size(); ++id) {
    Seat& seat = *seats_[id];
    seat.thread = std::thread([&seat, turn = turns_[id].get()] { seat.loop->run(turn); });
  }
  // Shard 0 holds the definitions: it comes first, and the others know which queues there are.
  WEIR_TRY(recover(0, 1, {}));
  first_start_ = defaults_are_missing();
  if (first_start_) WEIR_TRY(make_defaults());
  std::vector<broker::Change> definitions;
  run_on(ShardId{0}, [&] { seats_[0]->shard->topology().durable_state(definitions); });
  WEIR_TRY(recover(1, shards(), definitions));
  run_on(ShardId{0}, [&] { seats_[0]->shard->expect_all_shards(); });
  return {};
}

// Nothing is there, or a first start was cut short between the default user and its permission.
bool ThreadedNode::defaults_are_missing() {
  bool missing = false;
  run_on(ShardId{0}, [&] {
    const broker::Topology& topology = seats_[0]->shard->topology();
    const auto users = topology.users();
    const bool only_default = users.size() == 1 && users[0]->name == options_.default_user;
    missing =
        topology.permissions().empty() && (only_default || (users.empty() && topology.vhosts().empty()));
  });
  return missing;
}

// The user comes first and its permission last: see defaults_are_missing().
Status ThreadedNode::make_defaults() {
  std::vector<broker::Request> requests;
  if (!options_.default_user.empty()) {
    // What everybody knows needs no slow hash.
    const bool known = options_.default_password == "guest";
    Result<std::string> hash =
        known ? hash_known_password(options_.default_password) : hash_password(options_.default_password);
    if (!hash) return std::unexpected(hash.error());
    requests.emplace_back(broker::PutUserRequest{{options_.default_user, *hash, options_.default_tags}});
  }
  if (!options_.default_vhost.empty()) {
    requests.emplace_back(broker::PutVhostRequest{{options_.default_vhost, "Default virtual host"}});
  }
  if (!options_.default_user.empty()) {
    requests.emplace_back(broker::PutPermissionRequest{{options_.default_user, options_.default_vhost,
                                                        options_.default_configure, options_.default_write,
                                                        options_.default_read}});
  }
  return administer(std::move(requests));
}

void ThreadedNode::run_on(ShardId shard, const std::function<void()>& call) {
  std::promise<void> done;
  seats_[shard.value]->loop->post([&] {
    call();
    done.set_value();
  });
  done.get_future().wait();
}

// Many at a time: they share commits, and those that depend on each other wait for each other there.
Status ThreadedNode::administer(std::vector<broker::Request> requests) {
  constexpr std::size_t at_a_time = 1'024;
  for (std::size_t first = 0; first < requests.size(); first += at_a_time) {
    const std::size_t end = std::min(first + at_a_time, requests.size());
    std::promise<Status> all_decided;
    Status status;
    std::size_t left = end - first;
    // What is decided at once may end this call before the loop there does: its bounds are its own.
    seats_[0]->loop->post([&, first, end] {
      for (std::size_t i = first; i < end; ++i) {
        seats_[0]->shard->administer(std::move(requests[i]), [&](Result<broker::Decision> result) {
          if (!result && status) status = std::unexpected(std::move(result.error()));
          if (--left == 0) all_decided.set_value(std::move(status));
        });
      }
    });
    WEIR_TRY(all_decided.get_future().get());
  }
  return {};
}

void ThreadedNode::set_alarm(const char* alarm) {
  counters_.alarm.store(alarm);
  for (auto& seat : seats_) seat->loop->wake();  // each turn looks at it
}

void ThreadedNode::close_sessions(const Error& reason) {
  for (std::uint16_t id = 0; id < shards(); ++id) {
    run_on(ShardId{id}, [&] { seats_[id]->shard->sessions().close_all(reason); });
  }
}

std::uint64_t ThreadedNode::session_count() {
  std::uint64_t count = 0;
  for (std::uint16_t id = 0; id < shards(); ++id) {
    run_on(ShardId{id}, [&] { count += seats_[id]->shard->sessions().count(); });
  }
  return count;
}

Status ThreadedNode::stop() {
  // What the last turn of a shard sent may make another shard send once more: three rounds settle the longest chain.
  for (int round = 0; round < 3; ++round) {
    for (std::uint16_t id = 0; id < shards(); ++id) run_on(ShardId{id}, [] {});
  }
  Status status;
  for (std::uint16_t id = 0; id < shards(); ++id) {
    run_on(ShardId{id}, [&] {
      turns_[id]->live = false;
      if (Status closed = seats_[id]->shard->close(); !closed) status = closed;
    });
  }
  end_threads();
  return status;
}

void ThreadedNode::end_threads() {
  for (auto& seat : seats_) {
    if (!seat->thread.joinable()) continue;
    seat->loop->stop();
    seat->thread.join();
  }
}

}  // namespace

Result<std::unique_ptr<Node>> Node::start(NodeOptions options) {
  auto node = std::make_unique<ThreadedNode>(std::move(options));
  WEIR_TRY(node->begin());
  return node;
}

}  // namespace weir::node
