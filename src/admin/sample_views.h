// What it is: how numbers were at the moments that a call asks for (lengths_age, msg_rates_incr, …), beside what they are now.
// Pure, and for any thread.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "admin/history.h"
#include "admin/listing.h"
#include "admin/recorder.h"
#include "protocol/http/codec/target.h"

namespace weir::admin {

inline constexpr std::uint64_t samples_max = 500;

// What calls may ask for, as a contract writes it (admin/contract.h).
inline constexpr std::string_view sample_parameters =
    "lengths_age:integer lengths_incr:integer msg_rates_age:integer msg_rates_incr:integer";
inline constexpr std::string_view node_sample_parameters = "node_stats_age:integer node_stats_incr:integer";

// Ages and steps are in seconds; both must be there, or there are no samples.
struct SampleRanges {
  std::optional<SampleRange> lengths, msg_rates, node_stats;
};
std::expected<SampleRanges, ListingError> read_sample_ranges(const http::Target& target,
                                                             std::uint64_t now_ms);

// Several are added up: those of the virtual hosts that somebody sees.
using HistoryList = std::vector<std::shared_ptr<const History>>;

// What a queue, or a virtual host, was and did. The view has the fields already (stats_views.h).
void add_depth_samples(boost::json::object& view, const HistoryList& histories, const SampleRanges& ranges);
void add_count_samples(boost::json::object& view, const HistoryList& histories, const SampleRanges& ranges);
// Both.
void add_queue_samples(boost::json::object& view, const HistoryList& histories, const SampleRanges& ranges);
void add_exchange_samples(boost::json::object& view, const HistoryList& histories,
                          const SampleRanges& ranges);
// Of the whole server: to each field of the view that is a number and has a history, how fast it grows; and samples.
void add_total_samples(boost::json::object& view, TotalSeries first, TotalSeries last, const History& totals,
                       const std::optional<SampleRange>& range, std::uint64_t now_ms);
void add_node_samples(boost::json::object& view, const History& node, const SampleRanges& ranges,
                      std::uint64_t now_ms);

// Of a queue that nothing has happened to since the recorder began: it was always as it is.
std::shared_ptr<const History> still_history(const node::QueueRow& row, std::uint64_t began_ms);

}  // namespace weir::admin
