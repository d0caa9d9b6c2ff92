// What it is: what was seen of the broker at one moment (node/observe.h) as the API shows it: counters with their rates.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "node/observe.h"

namespace weir::admin {

// "publish": 12, "publish_details": {"rate": 0.5}
void add_counted(boost::json::object& to, std::string_view name, std::uint64_t value, double rate);
// "2026-11-22T06:53:55.071+00:00"
std::string time_text(std::uint64_t unix_ms);

boost::json::object queue_stats(const Counters<broker::QueueCount>& counts,
                                const Rates<broker::QueueCount>& rates);
boost::json::object channel_stats(const Counters<node::ChannelCount>& counts,
                                  const Rates<node::ChannelCount>& rates);
boost::json::object exchange_stats(const node::ExchangeRow& exchange);

// "messages", "messages_ready" and "messages_unacknowledged", with what becomes of them: the difference of what comes and
// what goes.
void add_depths(boost::json::object& to, std::uint64_t ready, std::uint64_t unacknowledged,
                const Rates<broker::QueueCount>& rates);
void add_queue_row(boost::json::object& to, const node::QueueRow& row, std::uint64_t now_ms);

boost::json::object connection_view(const node::SessionRow& session, const std::string& node_name);
boost::json::object channel_view(const node::SessionRow& session, const node::ChannelRow& channel,
                                 const std::string& node_name);

}  // namespace weir::admin
