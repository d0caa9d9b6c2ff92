// What it is: a rush as it is shown while it goes on: a screen for a terminal, or a line now and then. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "cli/text_cells.h"

namespace weir::cli {

struct RushWorkerView {
  bool connected = false;
  std::uint32_t holds = 0;
};

struct RushView {
  std::string title;
  std::uint64_t orders = 0, arrived = 0, published = 0, confirmed = 0, done = 0, again = 0;
  double arrived_per_s = 0, confirmed_per_s = 0, done_per_s = 0;
  bool broker_up = false;
  // As the broker tells; nothing while it is away.
  std::optional<std::uint64_t> depth;
  std::optional<double> oldest_s, drain_s;
  std::vector<std::uint64_t> depths;  // in the course of time
  std::vector<RushWorkerView> workers;
  std::vector<std::string> events;  // what happened, oldest first
  double elapsed_s = 0;
};

std::vector<std::string> rush_screen(const RushView& view, TerminalSize size, const Paint& paint);
std::string rush_line(const RushView& view);

// So much of a whole, over so many cells.
std::string bar_text(double share, std::size_t cells);
// The last values that fit, as a curve one line high.
std::string curve_text(const std::vector<std::uint64_t>& values, std::size_t cells);

}  // namespace weir::cli
