// Seeds, many. WEIR_SIM_SEEDS: how many; WEIR_SIM_FIRST_SEED: from where; WEIR_SIM_SEED=n: only that one, all told.
#include "sim/simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/log.h"

namespace weir::sim {

namespace {

constexpr std::uint64_t seeds_by_default = 300;
constexpr unsigned failures_shown = 3;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void quiet_log() { mute_log(); }

// False: it failed, and was told.
bool run_seed(std::uint64_t seed, Outcome& totals, bool verbose = false) {
  const Scenario scenario(seed);
  Outcome outcome = Simulation(scenario, verbose).run();
  totals.attempts += outcome.attempts;
  totals.confirmed += outcome.confirmed;
  totals.rejected += outcome.rejected;
  totals.deliveries += outcome.deliveries;
  totals.restarts += outcome.restarts;
  totals.checkpoints += outcome.checkpoints;
  totals.clean_passes += outcome.clean_passes;
  if (outcome.violation.empty()) return true;
  std::string trace;
  for (const std::string& line : outcome.trace) trace += line + "\n";
  ADD_FAILURE() << "WEIR_SIM_SEED=" << seed << ": " << outcome.violation << "\n"
                << scenario.describe() << "\n"
                << trace;
  return false;
}

std::string totals_text(const Outcome& totals) {
  return fmt::format(
      "{} publishes, {} confirmed, {} rejected, {} deliveries, {} restarts, {} checkpoints, {} passes of the "
      "cleaner",
      totals.attempts, totals.confirmed, totals.rejected, totals.deliveries, totals.restarts,
      totals.checkpoints, totals.clean_passes);
}

}  // namespace

TEST(Simulation, holds_for_every_seed) {
  quiet_log();
  Outcome totals;
  if (const std::uint64_t one = from_environment("WEIR_SIM_SEED", 0); one != 0) {
    run_seed(one, totals, true);
    return;
  }
  const std::uint64_t first = from_environment("WEIR_SIM_FIRST_SEED", 1);
  const std::uint64_t count = from_environment("WEIR_SIM_SEEDS", seeds_by_default);
  unsigned failures = 0;
  for (std::uint64_t seed = first; seed < first + count && failures < failures_shown; ++seed) {
    failures += run_seed(seed, totals) ? 0 : 1;
  }
  fmt::print("{}\n", totals_text(totals));
  if (count >= 100 && failures == 0) {
    // A simulator that does next to nothing proves nothing.
    EXPECT_GT(totals.confirmed, count * 20);
    EXPECT_GT(totals.deliveries, count * 20);
    EXPECT_GT(totals.restarts, count);
    EXPECT_GT(totals.checkpoints, count / 10);
    EXPECT_GT(totals.clean_passes, count / 50);
  }
}

TEST(Simulation, holds_for_the_seeds_that_once_failed) {
  quiet_log();
  std::ifstream list(WEIR_TESTS_DIR "/sim/regression_seeds.txt");
  ASSERT_TRUE(list.is_open());
  std::string line;
  Outcome totals;
  while (std::getline(list, line)) {
    if (line.empty() || line[0] == '#') continue;
    run_seed(std::stoull(line), totals);
  }
}

TEST(Simulation, catches_a_disk_that_lies_about_what_is_durable) {
  quiet_log();
  unsigned caught = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Scenario scenario(seed);
    scenario.lives = 4;
    scenario.turns_per_life = 400;
    scenario.lie_polls = 20;
    const Outcome outcome = Simulation(scenario, false).run();
    caught += outcome.violation.empty() ? 0 : 1;
  }
  EXPECT_GE(caught, 15U);
}

}  // namespace weir::sim
