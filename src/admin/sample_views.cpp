#include "admin/sample_views.h"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>
#include <numeric>
#include <string>

namespace weir::admin {
namespace {

namespace json = boost::json;

std::optional<std::int64_t> number(const std::string* text) {
  std::int64_t value = 0;
  if (text == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

// False: there is an age and a step, and they make no sense.
bool read_range(const http::Target& target, std::string_view prefix, std::uint64_t now_ms,
                std::optional<SampleRange>& range, ListingError& error) {
  const auto age = number(target.parameter(fmt::format("{}_age", prefix)));
  const auto incr = number(target.parameter(fmt::format("{}_incr", prefix)));
  if (!age || !incr) return true;
  constexpr std::int64_t seconds_max = 10LL * 365 * 86'400;
  if (*age <= 0 || *incr <= 0 || *age > seconds_max ||
      *age / *incr > static_cast<std::int64_t>(samples_max)) {
    error = {"bad_request", fmt::format("Invalid range parameters: age {}, incr {}", *age, *incr)};
    return false;
  }
  const std::uint64_t incr_ms = static_cast<std::uint64_t>(*incr) * 1'000;
  range = {now_ms - now_ms % incr_ms, static_cast<std::uint64_t>(*age) * 1'000, incr_ms};
  return true;
}

// Newest first, as RabbitMQ tells it.
json::object details(const std::vector<std::uint64_t>& values, const SampleRange& range) {
  constexpr double ms_per_second = 1'000;
  json::array samples;
  samples.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    samples.push_back({{"sample", values[i]}, {"timestamp", range.last_ms - i * range.incr_ms}});
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const auto grown = [&](std::size_t back) {
    if (back == 0 || back >= values.size()) return 0.0;
    const double change = static_cast<double>(values[0]) - static_cast<double>(values[back]);
    return change * ms_per_second / static_cast<double>(back * range.incr_ms);
  };
  return {{"rate", grown(1)},
          {"samples", std::move(samples)},
          {"avg_rate", grown(values.size() - 1)},
          {"avg", sum / static_cast<double>(values.size())}};
}

void add_samples(json::object& view, std::string_view name, const HistoryList& histories,
                 std::initializer_list<std::size_t> series, const SampleRange& range) {
  std::vector<std::uint64_t> values(range.count());
  for (const auto& history : histories) {
    for (const std::size_t one : series) history->add_samples(one, range, values);
  }
  view[fmt::format("{}_details", name)] = details(values, range);
}

template <typename Kind>
constexpr std::size_t place(Kind kind) {
  return static_cast<std::size_t>(kind);
}

template <typename Kind>
void add_series(json::object& view, Kind first, Kind last, const HistoryList& histories,
                const SampleRange& range) {
  for (std::size_t i = place(first); i <= place(last); ++i)
    add_samples(view, name_of(static_cast<Kind>(i)), histories, {i}, range);
}

void add_rates(json::object& view, std::string_view name, const History& history, std::size_t series,
               std::uint64_t now_ms) {
  view[fmt::format("{}_details", name)] = json::object{{"rate", history.rate(series, now_ms)}};
}

// It lives for the call.
HistoryList one(const History& history) {
  return {std::shared_ptr<const History>(std::shared_ptr<const History>(), &history)};
}

}  // namespace

std::expected<SampleRanges, ListingError> read_sample_ranges(const http::Target& target,
                                                             std::uint64_t now_ms) {
  SampleRanges ranges;
  ListingError error;
  if (read_range(target, "lengths", now_ms, ranges.lengths, error) &&
      read_range(target, "msg_rates", now_ms, ranges.msg_rates, error) &&
      read_range(target, "node_stats", now_ms, ranges.node_stats, error))
    return ranges;
  return std::unexpected(std::move(error));
}

void add_queue_samples(json::object& view, const HistoryList& histories, const SampleRanges& ranges) {
  add_depth_samples(view, histories, ranges);
  add_count_samples(view, histories, ranges);
}

void add_depth_samples(json::object& view, const HistoryList& histories, const SampleRanges& ranges) {
  if (!ranges.lengths) return;
  add_series(view, QueueSeries::messages, QueueSeries::unacknowledged, histories, *ranges.lengths);
}

void add_count_samples(json::object& view, const HistoryList& histories, const SampleRanges& ranges) {
  using S = QueueSeries;
  json::value* const stats = view.if_contains("message_stats");
  if (!ranges.msg_rates || stats == nullptr || !stats->is_object()) return;
  json::object& counts = stats->get_object();
  add_series(counts, S::publish, S::redeliver, histories, *ranges.msg_rates);
  add_samples(counts, "deliver_get", histories,
              {place(S::deliver), place(S::deliver_no_ack), place(S::get), place(S::get_no_ack)},
              *ranges.msg_rates);
}

void add_exchange_samples(json::object& view, const HistoryList& histories, const SampleRanges& ranges) {
  json::value* const stats = view.if_contains("message_stats");
  if (!ranges.msg_rates || stats == nullptr || !stats->is_object()) return;
  add_series(stats->get_object(), ExchangeSeries::publish_in, ExchangeSeries::publish_out, histories,
             *ranges.msg_rates);
}

void add_total_samples(json::object& view, TotalSeries first, TotalSeries last, const History& totals,
                       const std::optional<SampleRange>& range, std::uint64_t now_ms) {
  for (std::size_t i = place(first); i <= place(last); ++i) {
    const std::string_view name = name_of(static_cast<TotalSeries>(i));
    if (range) {
      add_samples(view, name, one(totals), {i}, *range);
    } else {
      add_rates(view, name, totals, i, now_ms);
    }
  }
}

void add_node_samples(json::object& view, const History& node, const SampleRanges& ranges,
                      std::uint64_t now_ms) {
  for (std::size_t i = 0; i < place(NodeSeries::count); ++i) {
    const std::string_view name = name_of(static_cast<NodeSeries>(i));
    if (ranges.node_stats) {
      add_samples(view, name, one(node), {i}, *ranges.node_stats);
    } else {
      add_rates(view, name, node, i, now_ms);
    }
  }
}

std::shared_ptr<const History> still_history(const node::QueueRow& row, std::uint64_t began_ms) {
  auto history = std::make_shared<History>(place(QueueSeries::count));
  const bool moves = row.used && row.idle_since_ms == 0;
  if (!moves) history->add(began_ms, queue_numbers(row));
  return history;
}

}  // namespace weir::admin
