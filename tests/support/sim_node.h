// What it is: a whole node in memory: real shards over a simulated machine's disk, clock and mailboxes, driven turn by
// turn in an order by seed. A shard turns only when something asks for it (a wake-up, mail, a timer, the disk), as in a
// loop: a wake-up that is forgotten shows as a node that sleeps for ever.
// Lifetime: the SimStorage outlives the node; sessions end before it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "node/shard.h"
#include "runtime/sim/sim_disk.h"

namespace weir::node {

// Small files and caches, so that rolling, recycling and reading back happen within a few messages.
storage::JournalOptions small_journal();

struct SimNodeOptions {
  std::uint16_t shards = 1;
  std::uint64_t seed = 1;
  storage::JournalOptions journal = small_journal();  // the directory is filled in
  runtime::SimFaults faults;
  std::uint64_t transient_bytes_max = UINT64_MAX;
  BodySizes body_sizes{};
  std::int64_t wall_offset_ms = 0;  // where the wall clock begins; the other one begins at 0
  AuthOptions auth;
  std::uint64_t sample_ms = 0;  // ShardOptions::sample_ms
  HeadersOf headers_of;
  std::string event_vhost;  // ShardOptions::event_vhost
  bool late_mail = false;   // a turn may find only the older part of what the other shards have sent
  // Puts a disk of the test's own between a shard and the machine; empty: none.
  std::function<std::unique_ptr<runtime::Disk>(std::unique_ptr<runtime::Disk>)> wrap_disk;
};

class SimNode final : private Peers {
 public:
  static constexpr unsigned steps_max = 400'000;

  SimNode(runtime::SimStorage& machine, SimNodeOptions options);
  ~SimNode();

  // Recovers all shards; a directory without a vhost gets "/" and the user guest.
  Status start();
  // Sessions have ended. Carries out what is left and closes the journals.
  Status stop();

  std::uint16_t shards() const { return static_cast<std::uint16_t>(seats_.size()); }
  Shard& shard(std::uint16_t id) { return *seats_[id]->shard; }
  runtime::Disk& disk(std::uint16_t id) { return *seats_[id]->disk; }
  ManualClock& clock() { return clock_; }
  SharedCounters& counters() { return counters_; }
  bool failed() const { return failed_; }  // a journal can't go on
  // The entry of a message, wherever it lives; null if it is gone.
  const broker::Entry* entry(ShardId shard, QueueId queue, Seq seq);

  // One turn of a shard; `inside` is what its sockets bring.
  void turn(std::uint16_t shard, const std::function<void()>& inside = {});
  // A turn of a shard that something asks to turn; without one, time passes until a timer is due. False: nothing
  // will happen by itself, ever or until `until_ms` of the monotonic clock.
  bool step(std::uint64_t until_ms = UINT64_MAX);
  // Steps until the condition holds; false if it does not come.
  bool until(const std::function<bool()>& condition, unsigned steps = steps_max);
  // Nothing is under way but timers.
  bool quiet() const;
  bool settle() {
    return until([this] { return quiet(); });
  }
  void pass_ms(std::uint64_t ms);  // with all that happens meanwhile
  // Called after every turn, with its shard.
  std::function<void(std::uint16_t)> after_turn;

 private:
  struct Seat {
    std::unique_ptr<runtime::Disk> disk;
    runtime::TimerWheel timers;
    runtime::Inbox<ShardMessage> inbox{[] {}};
    std::deque<ShardMessage> mail;  // sent, in order, not yet found
    bool woken = false;
    std::unique_ptr<Shard> shard;
  };

  void send(ShardId to, std::vector<ShardMessage>& messages) override;
  void bring_mail(Seat& seat);
  void make_seat(std::uint16_t id);
  Status make_defaults();
  bool due(const Seat& seat) const;
  std::uint64_t now_ms() const { return clock_.monotonic_ns() / 1'000'000; }

  runtime::SimStorage& machine_;
  SimNodeOptions options_;
  Rng rng_;
  ManualClock clock_;
  SharedCounters counters_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<ShardMessage> carried_;
  bool failed_ = false;
};

}  // namespace weir::node
