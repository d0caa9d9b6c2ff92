// What it is: what `weir top` shows: the broker at a glance, and its queues or connections in the order that was asked for.
// Pure.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "cli/text_cells.h"

namespace weir::cli {

enum class TopKind : std::uint8_t { name, text, count, rate, milliseconds, seconds, bytes };

struct TopColumn {
  std::string_view title;
  char key = 0;           // that sorts by it; 0: none
  std::string_view path;  // in what the API answers
  TopKind kind = TopKind::count;
  std::size_t cells = 0;  // 0: what is left over
};

enum class TopList : std::uint8_t { queues, connections };
std::span<const TopColumn> top_columns(TopList list);
// Null: no column has that key.
const TopColumn* top_column_of(TopList list, char key);

struct TopSample {
  double at_s = 0;
  boost::json::object overview;
  std::optional<boost::json::object> node;  // nothing: our user may not see it
  boost::json::array items;                 // the first ones of the list, sorted
  std::uint64_t items_all = 0;
};

struct TopView {
  TopList list = TopList::queues;
  char sort_key = 'd';
  bool reverse = true;  // the largest first
  TopSample sample;
  std::optional<double> confirmed_per_s;
  std::string trouble;  // why there is no newer sample
};

// The lines, as wide as they have to be; with help at the bottom if it is `live`.
std::vector<std::string> top_screen(const TopView& view, TerminalSize size, const Paint& paint, bool live);
// How many items fit.
std::size_t top_rows(TerminalSize size);

}  // namespace weir::cli
