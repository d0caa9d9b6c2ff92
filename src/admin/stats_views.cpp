#include "admin/stats_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "admin/json_value.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::QueueCount;
using node::ChannelCount;
using node::ConnectionCount;

json::object rate_of(double rate) { return {{"rate", rate}}; }

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

}  // namespace

void add_counted(json::object& to, std::string_view name, std::uint64_t value, double rate) {
  to[name] = value;
  to[fmt::format("{}_details", name)] = rate_of(rate);
}

std::string time_text(std::uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+00:00", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     unix_ms % 1'000);
}

json::object queue_stats(const Counters<QueueCount>& counts, const Rates<QueueCount>& rates) {
  constexpr std::pair<QueueCount, std::string_view> names[] = {{QueueCount::publish, "publish"},
                                                               {QueueCount::deliver, "deliver"},
                                                               {QueueCount::deliver_no_ack, "deliver_no_ack"},
                                                               {QueueCount::get, "get"},
                                                               {QueueCount::get_no_ack, "get_no_ack"},
                                                               {QueueCount::get_empty, "get_empty"},
                                                               {QueueCount::ack, "ack"},
                                                               {QueueCount::redeliver, "redeliver"}};
  json::object view;
  for (const auto& [kind, name] : names) add_counted(view, name, counts[kind], rates[kind]);
  std::uint64_t all = 0;
  double rate = 0;
  for (const QueueCount kind :
       {QueueCount::deliver, QueueCount::deliver_no_ack, QueueCount::get, QueueCount::get_no_ack}) {
    all += counts[kind];
    rate += rates[kind];
  }
  add_counted(view, "deliver_get", all, rate);
  return view;
}

json::object channel_stats(const Counters<ChannelCount>& counts, const Rates<ChannelCount>& rates) {
  constexpr std::pair<ChannelCount, std::string_view> names[] = {
      {ChannelCount::publish, "publish"},
      {ChannelCount::confirm, "confirm"},
      {ChannelCount::return_unroutable, "return_unroutable"},
      {ChannelCount::drop_unroutable, "drop_unroutable"},
      {ChannelCount::deliver, "deliver"},
      {ChannelCount::deliver_no_ack, "deliver_no_ack"},
      {ChannelCount::get, "get"},
      {ChannelCount::get_no_ack, "get_no_ack"},
      {ChannelCount::get_empty, "get_empty"},
      {ChannelCount::ack, "ack"},
      {ChannelCount::redeliver, "redeliver"}};
  json::object view;
  for (const auto& [kind, name] : names) add_counted(view, name, counts[kind], rates[kind]);
  std::uint64_t all = 0;
  double rate = 0;
  for (const ChannelCount kind :
       {ChannelCount::deliver, ChannelCount::deliver_no_ack, ChannelCount::get, ChannelCount::get_no_ack}) {
    all += counts[kind];
    rate += rates[kind];
  }
  add_counted(view, "deliver_get", all, rate);
  return view;
}

json::object exchange_stats(const node::ExchangeRow& exchange) {
  using node::ExchangeCount;
  json::object view;
  add_counted(view, "publish_in", exchange.counts[ExchangeCount::publish_in],
              exchange.rates[ExchangeCount::publish_in]);
  add_counted(view, "publish_out", exchange.counts[ExchangeCount::publish_out],
              exchange.rates[ExchangeCount::publish_out]);
  return view;
}

void add_depths(json::object& to, std::uint64_t ready, std::uint64_t unacknowledged,
                const Rates<QueueCount>& rates) {
  const double no_ack = rates[QueueCount::deliver_no_ack] + rates[QueueCount::get_no_ack];
  const double out = rates[QueueCount::deliver] + rates[QueueCount::get];
  const double in = rates[QueueCount::publish], done = rates[QueueCount::ack];
  add_counted(to, "messages", ready + unacknowledged, in - done - no_ack);
  add_counted(to, "messages_ready", ready, in - out - no_ack);
  add_counted(to, "messages_unacknowledged", unacknowledged, out - done);
}

void add_queue_row(json::object& to, const node::QueueRow& row, std::uint64_t now_ms) {
  add_depths(to, row.ready, row.unacknowledged, row.rates);
  to["messages_persistent"] = row.persistent;
  to["message_bytes"] = row.bytes;
  to["message_bytes_ready"] = row.bytes - std::min(row.bytes, row.bytes_unacknowledged);
  to["message_bytes_unacknowledged"] = row.bytes_unacknowledged;
  to["message_bytes_persistent"] = row.bytes_persistent;
  to["message_bytes_ram"] = row.bytes_in_memory;
  to["consumers"] = row.consumers;
  to["consumer_capacity"] = row.consumer_capacity;
  to["consumer_utilisation"] = row.consumer_capacity;
  to["memory"] = row.memory_bytes;
  to["single_active_consumer_tag"] = text_or_null(row.active_consumer);
  to["exclusive_consumer_tag"] = nullptr;
  to["head_message_timestamp"] = nullptr;
  if (row.idle_since_ms != 0) to["idle_since"] = time_text(row.idle_since_ms);
  if (row.used) to["message_stats"] = queue_stats(row.counts, row.rates);
  // Beyond RabbitMQ.
  to["messages_held"] = row.held;
  to["oldest_message_age_ms"] =
      row.oldest_ms == 0 ? json::value() : json::value(now_ms - std::min(now_ms, row.oldest_ms));
  const auto drained = row.seconds_to_drain();
  to["seconds_to_drain"] = drained ? json::value(*drained) : json::value();
}

json::object connection_view(const node::SessionRow& session, const std::string& node_name) {
  const node::SessionInfo& info = session.info;
  const node::ConnectionFacts& facts = session.facts;
  const auto counted = [&](json::object& view, std::string_view name, ConnectionCount kind) {
    add_counted(view, name, facts.counts[kind], facts.rates[kind]);
  };
  json::object view;
  view["name"] = session.name;
  view["vhost"] = info.vhost;
  view["user"] = info.user;
  view["user_who_performed_action"] = info.user;
  view["protocol"] = info.protocol;
  view["type"] = "network";
  view["node"] = node_name;
  view["state"] = facts.state;
  view["connected_at"] = session.connected_at_ms;
  view["channels"] = facts.channels;
  view["channel_max"] = facts.channel_max;
  view["frame_max"] = facts.frame_max;
  view["timeout"] = facts.timeout_s;
  view["host"] = info.peer.local_address;
  view["port"] = info.peer.local_port;
  view["peer_host"] = info.peer.address;
  view["peer_port"] = info.peer.port;
  view["auth_mechanism"] = info.auth_mechanism;
  view["client_properties"] = to_json(info.properties);
  if (!info.connection_name.empty()) view["user_provided_name"] = info.connection_name;
  view["ssl"] = info.peer.tls;
  view["ssl_protocol"] = text_or_null(info.peer.tls_version);
  view["ssl_cipher"] = text_or_null(info.peer.tls_cipher);
  view["peer_cert_subject"] = text_or_null(info.peer.certificate_subject);
  view["send_pend"] = facts.unsent_bytes;
  counted(view, "recv_oct", ConnectionCount::recv_oct);
  counted(view, "send_oct", ConnectionCount::send_oct);
  view["recv_cnt"] = facts.counts[ConnectionCount::recv_cnt];
  view["send_cnt"] = facts.counts[ConnectionCount::send_cnt];
  return view;
}

json::object channel_view(const node::SessionRow& session, const node::ChannelRow& channel,
                          const std::string& node_name) {
  json::object view;
  view["name"] = fmt::format("{} ({})", session.name, channel.number);
  view["number"] = channel.number;
  view["vhost"] = session.info.vhost;
  view["user"] = session.info.user;
  view["user_who_performed_action"] = session.info.user;
  view["node"] = node_name;
  view["state"] = channel.state;
  view["confirm"] = channel.confirms;
  view["transactional"] = channel.transactional;
  view["prefetch_count"] = channel.prefetch;
  view["global_prefetch_count"] = channel.global_prefetch;
  view["consumer_count"] = channel.consumers;
  view["messages_unacknowledged"] = channel.unacknowledged;
  view["messages_unconfirmed"] = channel.unconfirmed;
  view["messages_uncommitted"] = channel.uncommitted;
  view["acks_uncommitted"] = channel.acks_uncommitted;
  if (channel.idle_since_ms != 0) view["idle_since"] = time_text(channel.idle_since_ms);
  view["connection_details"] = {{"name", session.name},
                                {"peer_host", session.info.peer.address},
                                {"peer_port", session.info.peer.port}};
  view["message_stats"] = channel_stats(channel.counts, channel.rates);
  return view;
}

}  // namespace weir::admin
