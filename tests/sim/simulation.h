// What it is: one run of the simulator: a node, clients and faults, all decided by a seed; several lives of the node with
// a crash, a kill or an ordered end between them, each judged by the shadow model; at the end, without faults, everything
// must be confirmed, drained, counted and given back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "runtime/sim/sim_disk.h"
#include "sim/known_settings.h"
#include "sim/sim_client.h"
#include "support/fault_disk.h"
#include "support/sim_node.h"

namespace weir::sim {

// What a seed decides beforehand.
struct Scenario {
  explicit Scenario(std::uint64_t seed);
  std::uint64_t seed;
  std::uint16_t shards = 1;
  unsigned lives = 1;
  unsigned turns_per_life = 0;  // at most
  unsigned clients = 1;
  storage::JournalOptions journal;
  bool late_mail = false;
  bool big_bodies = false;
  node::BodySizes body_sizes{};
  std::uint32_t slow_one_in = 0;
  std::uint32_t write_error_one_in = 0;
  bool full_disks = false;
  std::uint64_t transient_bytes_max = UINT64_MAX;
  std::uint32_t lie_polls = 0;  // a defect on purpose: the disk lies about what is durable

  std::string describe() const;
};

struct Outcome {
  std::string violation;  // empty: none
  std::vector<std::string> trace;
  std::uint64_t attempts = 0, confirmed = 0, rejected = 0, deliveries = 0, restarts = 0;
  std::uint64_t checkpoints = 0, clean_passes = 0;
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, bool verbose);
  ~Simulation();
  Outcome run();

 private:
  enum class End : std::uint8_t { power_loss, kill, ordered };

  void furnish();
  void live(unsigned turns);
  void at_rest();
  void client_turn();
  void new_client();
  void replace_client(std::size_t which);
  void end(End how);
  void crash(End how);
  bool stop_in_order();
  // Until it is up, with crashes on the way if `nested`.
  void begin(bool nested);
  Status boot(node::SimNode* previous);
  void judge_restart(bool clean, bool tried_in_order);
  void judge_twice();
  void finish();
  std::string journals() const;
  void count_background_work();
  void drain();
  void judge_rest();
  bool over() const { return !world_.model.violation().empty(); }
  void note(const std::string& line);

  Scenario scenario_;
  bool verbose_;
  runtime::SimStorage machine_;
  runtime::DiskPlan plan_;
  World world_;
  KnownSettings settings_;
  std::unique_ptr<node::SimNode> node_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::uint32_t next_client_ = 0;
  bool faults_ = true;
  bool first_ = true;
  std::vector<Lsn> durable_;  // per shard, at the end of the last life
  std::uint64_t restarts_ = 0, checkpoints_ = 0, clean_passes_ = 0;
  std::deque<std::string> trace_;
};

}  // namespace weir::sim
