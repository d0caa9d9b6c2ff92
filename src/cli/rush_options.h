// What it is: what `weir demo rush` does, as plain values.
#pragma once

#include <cstdint>
#include <string>

#include "cli/bench_options.h"

namespace weir::cli {

struct RushOptions {
  std::uint32_t orders = 100'000;
  double rush_s = 5;              // in which they arrive
  double database_per_s = 1'000;  // what it takes
  std::uint32_t shops = 4;        // publishing connections
  std::uint32_t workers = 2;      // consuming ones
  std::uint16_t prefetch = 250;
  double outage_s = 2;    // how long a worker or the broker is away
  double stalled_s = 60;  // nothing has moved for so long: it is over
  bool restart_broker = false;
  bool fast = false;
  bool as_json = false;
  std::string url;      // a running broker's management API; empty: a broker of our own
  std::string parent;   // where its directory is made
  std::string program;  // the weir binary

  // What --fast makes of it.
  static constexpr double fast_factor = 10;
  void scale() {
    rush_s /= fast_factor;
    database_per_s *= fast_factor;
    outage_s /= fast_factor;
  }
};

}  // namespace weir::cli
