#include "cli/rush_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/quantities.h"

namespace weir::cli {
namespace {

constexpr std::array<std::string_view, 9> eighths_across = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
constexpr std::array<std::string_view, 9> eighths_up = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::size_t events_shown = 8;

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string count_line(const RushView& view, std::string_view name, std::uint64_t count, double rate,
                       std::size_t bar_cells, Colour colour, const Paint& paint) {
  return fmt::format("  {} {} {}  {}", left_in(name, 10), right_in(grouped(count), 9),
                     paint(colour, left_in(bar_text(share_of(count, view.orders), bar_cells), bar_cells)),
                     right_in(per_second(rate), 10));
}

std::string depth_text(const RushView& view) { return view.depth ? grouped(*view.depth) : "–"; }

std::string broker_text(const RushView& view, const Paint& paint) {
  return view.broker_up ? paint(Colour::green, "up") : paint(Colour::red, "down");
}

}  // namespace

std::string bar_text(double share, std::size_t cells) {
  const auto eighths = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(cells * 8));
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += eighths_across[8];
  return out + std::string(eighths_across[eighths % 8]);
}

std::string curve_text(const std::vector<std::uint64_t>& values, std::size_t cells) {
  if (values.empty()) return {};
  const std::uint64_t most = std::max<std::uint64_t>(*std::max_element(values.begin(), values.end()), 1);
  std::string out;
  for (std::size_t i = values.size() - std::min(values.size(), cells); i < values.size(); ++i)
    out += eighths_up[(values[i] * 8 + most - 1) / most];
  return out;
}

std::vector<std::string> rush_screen(const RushView& view, TerminalSize size, const Paint& paint) {
  const std::size_t wide = std::max<std::size_t>(size.columns, 50);
  const std::size_t bar = wide - 38;
  std::vector<std::string> lines{
      paint(Colour::bold, view.title),
      fmt::format("  {}   broker {}", seconds_text(view.elapsed_s), broker_text(view, paint)),
      "",
      count_line(view, "arrived", view.arrived, view.arrived_per_s, bar, Colour::cyan, paint),
      count_line(view, "confirmed", view.confirmed, view.confirmed_per_s, bar, Colour::yellow, paint),
      count_line(view, "done", view.done, view.done_per_s, bar, Colour::green, paint),
      "",
      fmt::format("  {} {}   oldest message {}   empty in {}", left_in("depth", 10),
                  right_in(depth_text(view), 9), seconds_or_dash(view.oldest_s),
                  seconds_or_dash(view.drain_s)),
      fmt::format("  {} {}", left_in("", 10), paint(Colour::cyan, curve_text(view.depths, wide - 14))),
  };
  for (std::size_t i = 0; i < view.workers.size(); ++i) {
    const RushWorkerView& worker = view.workers[i];
    lines.push_back(fmt::format(
        "  {} {}", left_in(fmt::format("worker {}", i + 1), 10),
        worker.connected ? fmt::format("holds {} orders", worker.holds) : paint(Colour::red, "away")));
  }
  lines.push_back(fmt::format("  {} {}", left_in("again", 10), right_in(grouped(view.again), 9)));
  lines.emplace_back();
  const std::size_t room = size.rows > lines.size() ? size.rows - lines.size() : 0;
  const std::size_t shown = std::min({view.events.size(), events_shown, room});
  for (std::size_t i = view.events.size() - shown; i < view.events.size(); ++i)
    lines.push_back("  " + paint(Colour::dim, view.events[i]));
  return lines;
}

std::string rush_line(const RushView& view) {
  return fmt::format("{}  arrived {}  confirmed {}  done {}  depth {}  oldest {}  empty in {}{}",
                     right_in(seconds_text(view.elapsed_s), 12), grouped(view.arrived),
                     grouped(view.confirmed), grouped(view.done), depth_text(view),
                     seconds_or_dash(view.oldest_s), seconds_or_dash(view.drain_s),
                     view.broker_up ? "" : "  (the broker is down)");
}

}  // namespace weir::cli
