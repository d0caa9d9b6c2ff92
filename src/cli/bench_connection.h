// What it is: what producers and consumers of a run are given by the thread that they live on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cli/bench_control.h"
#include "cli/bench_options.h"
#include "cli/bench_plan.h"
#include "cli/bench_tally.h"
#include "cli/delivery_check.h"
#include "runtime/loop.h"
#include "runtime/stream.h"

namespace weir::cli {

// Makes producers look again whether they may publish. Any thread.
class Nudge {
 public:
  virtual void nudge() = 0;

 protected:
  ~Nudge() = default;
};

struct BenchContext {
  const BenchOptions& options;
  const BenchPlan& plan;
  BenchControl& control;
  std::vector<TrackedLane>& trackers;
  std::uint64_t run = 0;  // in every stamp
  Nudge& producers;       // all threads that have some
};

// Shard: its loop's thread.
class BenchConnection {
 public:
  virtual ~BenchConnection() = default;
  virtual void start(std::unique_ptr<runtime::ByteStream> stream) = 0;
  // It was set up: the run may begin.
  bool ready() const { return ready_; }

 protected:
  void become_ready(BenchControl& control) {
    ready_ = true;
    control.count_ready();
  }

 private:
  bool ready_ = false;
};

}  // namespace weir::cli
