// What it is: what producers and consumers of a run are given by the thread that they live on.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/bench_control.h"
#include "cli/bench_options.h"
#include "cli/bench_plan.h"
#include "cli/bench_tally.h"
#include "cli/delivery_check.h"
#include "runtime/loop.h"

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

}  // namespace weir::cli
