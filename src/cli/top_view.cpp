#include "cli/top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/json_text.h"
#include "cli/quantities.h"

namespace weir::cli {
namespace {

namespace json = boost::json;

constexpr std::array queue_columns{
    TopColumn{"QUEUE", 'n', "name", TopKind::name},
    TopColumn{"READY", 'd', "messages_ready", TopKind::count, 11},
    TopColumn{"UNACKED", 'u', "messages_unacknowledged", TopKind::count, 9},
    TopColumn{"IN", 'i', "message_stats.publish_details.rate", TopKind::rate, 10},
    TopColumn{"OUT", 'o', "message_stats.deliver_get_details.rate", TopKind::rate, 10},
    TopColumn{"ACK", 'k', "message_stats.ack_details.rate", TopKind::rate, 10},
    TopColumn{"CONS", 'c', "consumers", TopKind::count, 5},
    TopColumn{"OLDEST", 'a', "oldest_message_age_ms", TopKind::milliseconds, 12},
    TopColumn{"EMPTY IN", 'e', "seconds_to_drain", TopKind::seconds, 12},
    TopColumn{"SIZE", 's', "message_bytes", TopKind::bytes, 9},
};
constexpr std::array connection_columns{
    TopColumn{"CONNECTION", 'n', "name", TopKind::name},
    TopColumn{"USER", 'u', "user", TopKind::text, 12},
    TopColumn{"PROTOCOL", 'p', "protocol", TopKind::text, 10},
    TopColumn{"CLIENT", 0, "client_properties.product", TopKind::text, 16},
    TopColumn{"STATE", 's', "state", TopKind::text, 9},
    TopColumn{"CHAN", 'c', "channels", TopKind::count, 5},
    TopColumn{"RECEIVED", 'i', "recv_oct_details.rate", TopKind::bytes, 11},
    TopColumn{"SENT", 'o', "send_oct_details.rate", TopKind::bytes, 11},
};
constexpr std::size_t head_lines = 6, foot_lines = 2;
constexpr std::size_t name_cells_min = 16;

std::string cell_text(const json::object& item, const TopColumn& column) {
  const auto number = [&](auto format) {
    const auto value = number_at(item, column.path);
    return value ? format(*value) : std::string("–");
  };
  switch (column.kind) {
    case TopKind::name: {
      const std::string vhost = text_at(item, "vhost");
      return (vhost.empty() || vhost == "/" ? "" : vhost + " ") + text_at(item, column.path);
    }
    case TopKind::text: return text_at(item, column.path);
    case TopKind::count:
      return number([](double n) { return grouped(static_cast<std::uint64_t>(std::max(n, 0.0))); });
    case TopKind::rate: return number(per_second);
    case TopKind::milliseconds: return number([](double ms) { return seconds_text(ms / 1e3); });
    case TopKind::seconds: return number(seconds_text);
    case TopKind::bytes: return number(bytes_text);
  }
  return {};
}

bool is_text(const TopColumn& column) { return column.kind == TopKind::name || column.kind == TopKind::text; }

std::size_t name_cells(std::span<const TopColumn> columns, TerminalSize size) {
  std::size_t others = 0;
  for (const TopColumn& column : columns) others += column.cells > 0 ? column.cells + 1 : 0;
  return size.columns > others + name_cells_min ? size.columns - others : name_cells_min;
}

// One line, of each column what `text` says.
template <typename Text>
std::string row(std::span<const TopColumn> columns, TerminalSize size, Text text) {
  std::string line;
  for (const TopColumn& column : columns) {
    const std::size_t cells = column.cells > 0 ? column.cells : name_cells(columns, size);
    if (!line.empty()) line += ' ';
    line += is_text(column) ? left_in(text(column), cells) : right_in(text(column), cells);
  }
  return line;
}

std::string rate_at(const json::object& overview, const char* name) {
  return per_second(number_at(overview, fmt::format("message_stats.{}_details.rate", name)).value_or(0));
}

std::string count_at(const json::object& overview, std::string_view path) {
  return grouped(static_cast<std::uint64_t>(number_at(overview, path).value_or(0)));
}

std::string node_line(const json::object& node, const Paint& paint) {
  const auto alarm = [&](const char* path) {
    const json::value* const value = value_at(node, path);
    return value != nullptr && value->is_bool() && value->as_bool();
  };
  const auto bytes = [&](const char* path) { return bytes_text(number_at(node, path).value_or(0)); };
  std::string line = fmt::format("memory {} of {}   disk {} free   files {}   up {}", bytes("mem_used"),
                                 bytes("mem_limit"), bytes("disk_free"), count_at(node, "fd_used"),
                                 seconds_text(number_at(node, "uptime").value_or(0) / 1e3));
  if (alarm("mem_alarm")) line += "   " + paint(Colour::red, "ALARM: memory");
  if (alarm("disk_free_alarm")) line += "   " + paint(Colour::red, "ALARM: disk");
  return line;
}

std::string help_line(const TopView& view) {
  std::string line = fmt::format("q quit   Tab {}   r reverse   sort:",
                                 view.list == TopList::queues ? "connections" : "queues");
  for (const TopColumn& column : top_columns(view.list)) {
    if (column.key != 0) line += fmt::format(" {} {}", column.key, column.title);
  }
  return line;
}

std::vector<std::string> head(const TopView& view, const Paint& paint) {
  const json::object& overview = view.sample.overview;
  return {
      fmt::format("{}  {} {}", paint(Colour::bold, text_at(overview, "node")),
                  text_at(overview, "product_name"), text_at(overview, "product_version")),
      view.sample.node ? node_line(*view.sample.node, paint) : "memory and disk: not for this user",
      fmt::format("publish {}   confirm {}   deliver {}   ack {}", rate_at(overview, "publish"),
                  view.confirmed_per_s ? per_second(*view.confirmed_per_s) : "–",
                  rate_at(overview, "deliver_get"), rate_at(overview, "ack")),
      fmt::format("ready {}   unacked {}   queues {}   connections {}   channels {}   consumers {}",
                  count_at(overview, "queue_totals.messages_ready"),
                  count_at(overview, "queue_totals.messages_unacknowledged"),
                  count_at(overview, "object_totals.queues"), count_at(overview, "object_totals.connections"),
                  count_at(overview, "object_totals.channels"),
                  count_at(overview, "object_totals.consumers")),
      view.trouble.empty() ? "" : paint(Colour::red, harmless(view.trouble)),
  };
}

}  // namespace

std::span<const TopColumn> top_columns(TopList list) {
  if (list == TopList::queues) return queue_columns;
  return connection_columns;
}

const TopColumn* top_column_of(TopList list, char key) {
  for (const TopColumn& column : top_columns(list)) {
    if (key != 0 && column.key == key) return &column;
  }
  return nullptr;
}

std::size_t top_rows(TerminalSize size) {
  return size.rows > head_lines + foot_lines ? size.rows - head_lines - foot_lines : 1;
}

std::vector<std::string> top_screen(const TopView& view, TerminalSize size, const Paint& paint, bool live) {
  std::vector<std::string> lines = head(view, paint);
  const auto columns = top_columns(view.list);
  const std::string titles = row(columns, size, [&](const TopColumn& column) {
    if (column.key != view.sort_key) return std::string(column.title);
    return fmt::format("{}{}", column.title, view.reverse ? "▼" : "▲");
  });
  lines.push_back(paint(Colour::reverse, titles));
  for (const json::value& item : view.sample.items) {
    if (!item.is_object()) continue;
    lines.push_back(row(columns, size, [&](const TopColumn& c) { return cell_text(item.as_object(), c); }));
  }
  if (!live) return lines;
  const std::uint64_t shown = view.sample.items.size();
  const std::uint64_t hidden = view.sample.items_all - std::min(view.sample.items_all, shown);
  lines.push_back(hidden > 0 ? paint(Colour::dim, fmt::format("… and {} more", grouped(hidden))) : "");
  lines.push_back(paint(Colour::dim, help_line(view)));
  return lines;
}

}  // namespace weir::cli
