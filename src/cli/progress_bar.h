// What it is: how far long work has come, as one line on standard error that is written over and is gone at the end. Only on a
// terminal: elsewhere it says nothing.
// Shard: the main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/text_cells.h"

namespace weir::cli {

// "searching  [█████     ]  52 %  3 found", in so many cells. Pure.
std::string progress_text(std::string_view what, double share, std::string_view detail, std::size_t cells);

class ProgressBar {
 public:
  explicit ProgressBar(std::string what);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  bool shown() const { return shown_; }
  // From 0 to 1. Written a few times a second at most.
  void show(double share, std::string_view detail);
  // Before something else is written.
  void clear();

 private:
  const std::string what_;
  const bool shown_;
  bool drawn_ = false;
  std::uint64_t drawn_ns_ = 0;
};

}  // namespace weir::cli
