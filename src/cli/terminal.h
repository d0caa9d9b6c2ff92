// What it is: a command that shows something live: its signals and keys as events, and the screen of its terminal. The
// terminal is as before however the command ends, but for kill -9.
// Shard: the main thread. TerminalEvents is made before any other thread, so that none of them gets the signals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/text_cells.h"

namespace weir::cli {

// Of standard output.
bool shows_on_terminal();
// On a terminal that is not dumb, and without NO_COLOR.
Paint terminal_paint();

struct TerminalSize {
  unsigned columns = 80, rows = 24;
};

// The alternate screen of the terminal, without cursor, keys unechoed. One at a time.
class TerminalScreen {
 public:
  TerminalScreen();
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  static TerminalSize size();
  // A whole picture; what is too wide or too much is cut off.
  void show(const std::vector<std::string>& lines);
  void leave();
  void enter();
};

class TerminalEvents {
 public:
  enum class Kind : std::uint8_t { nothing, key, resized, end };
  struct Event {
    Kind kind = Kind::nothing;
    char key = 0;
    int signal = 0;  // of `end`
  };
  TerminalEvents();
  ~TerminalEvents();
  TerminalEvents(const TerminalEvents&) = delete;
  TerminalEvents& operator=(const TerminalEvents&) = delete;

  // `screen` is left while the command is suspended by Ctrl-Z; null: there is none, and keys are not read.
  Event wait(std::uint64_t ms, TerminalScreen* screen = nullptr);

 private:
  Event on_signal(TerminalScreen* screen);

  int signals_ = -1;
  bool keys_ = true;  // until standard input ends
};

}  // namespace weir::cli
