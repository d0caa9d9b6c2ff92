#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "cli/rush_view.h"
#include "runtime/loop.h"

namespace weir::cli {
namespace {

constexpr std::uint64_t draw_every_ns = 100'000'000;
constexpr std::size_t bar_cells = 25;

bool is_terminal() {
  const char* const term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && !(term != nullptr && std::string_view(term) == "dumb");
}

std::size_t terminal_cells() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string progress_text(std::string_view what, double share, std::string_view detail, std::size_t cells) {
  share = std::clamp(share, 0.0, 1.0);
  return clipped(fmt::format("{}  [{}] {:3.0f} %  {}", what, left_in(bar_text(share, bar_cells), bar_cells),
                             share * 100, harmless(detail)),
                 cells);
}

ProgressBar::ProgressBar(std::string what) : what_(std::move(what)), shown_(is_terminal()) {}

void ProgressBar::show(double share, std::string_view detail) {
  const std::uint64_t now_ns = runtime::system_clock().monotonic_ns();
  if (!shown_ || (drawn_ && now_ns - drawn_ns_ < draw_every_ns)) return;
  drawn_ = true;
  drawn_ns_ = now_ns;
  // One cell less: in the last one some terminals begin a new line.
  fmt::print(stderr, "\r{}\x1b[K", progress_text(what_, share, detail, terminal_cells() - 1));
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!drawn_) return;
  drawn_ = false;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace weir::cli
