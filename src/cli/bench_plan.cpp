#include "cli/bench_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "cli/message_stamp.h"

namespace weir::cli {

namespace {

constexpr std::uint32_t connections_max = 10'000;
constexpr std::uint32_t queues_max = 1'000'000;
constexpr std::uint32_t window_max = 1'000'000;
constexpr std::size_t prefix_bytes_max = 200;

Status check_topology(const BenchOptions& o) {
  const std::uint32_t queues = o.fanout > 0 ? o.fanout : o.queues;
  if (queues == 0 || queues > queues_max) return fail(ErrorCode::config, "--queues must be 1 to 1000000");
  if (o.producers > connections_max || o.consumers > connections_max) {
    return fail(ErrorCode::config, "at most 10000 producers and 10000 consumers");
  }
  if (o.filled_by > connections_max) return fail(ErrorCode::config, "--filled-by is at most 10000");
  if (o.producers + o.consumers == 0) return fail(ErrorCode::config, "no producers and no consumers");
  if (std::max({o.producers, o.filled_by, queues}) > lanes_max)
    return fail(ErrorCode::config, "too many producers or queues");
  if (o.name_prefix.empty() || o.name_prefix.size() > prefix_bytes_max) {
    return fail(ErrorCode::config, "--name must have 1 to 200 bytes");
  }
  if (std::max({o.exchange.size(), o.routing_key.size(), o.binding_key.size()}) > limits::name_bytes_max) {
    return fail(ErrorCode::config, "exchange, routing key and binding key have at most 255 bytes");
  }
  if (o.fanout > 0 && !o.exchange.empty()) return fail(ErrorCode::config, "--fanout makes its own exchange");
  if (o.exchange.empty() && !o.routing_key.empty()) {
    return fail(ErrorCode::config,
                "--routing-key needs --exchange: the default exchange routes by queue name");
  }
  if (!o.binding_key.empty() && o.routing_key.empty()) {
    return fail(ErrorCode::config, "--binding-key needs --routing-key");
  }
  if (o.queue_type == "quorum" && !o.durable_queue)
    return fail(ErrorCode::config, "a quorum queue is durable");
  return {};
}

Status check_flow(const BenchOptions& o) {
  if (o.size_bytes > limits::message_bytes_default)
    return fail(ErrorCode::config, "--size is at most 16 MiB");
  if (o.window == 0 || o.window > window_max) return fail(ErrorCode::config, "--window must be 1 to 1000000");
  if (o.ack_every == 0) return fail(ErrorCode::config, "--ack-every must be at least 1");
  if (o.prefetch > UINT16_MAX) return fail(ErrorCode::config, "--prefetch is at most 65535");
  if (!o.auto_ack && o.prefetch > 0 && o.ack_every > o.prefetch) {
    return fail(ErrorCode::config, "--ack-every above --prefetch would never acknowledge");
  }
  if (o.filled_by > 0 && (o.producers > 0 || o.messages == 0)) {
    return fail(ErrorCode::config, "--filled-by needs --producers 0 and --messages");
  }
  if (o.messages == 0 && o.seconds <= 0)
    return fail(ErrorCode::config, "--seconds or --messages must be above 0");
  if (o.warmup_s < 0 || o.rate_per_s < 0)
    return fail(ErrorCode::config, "--warmup and --rate can't be negative");
  if (o.threads == 0 || o.threads > limits::shards_max)
    return fail(ErrorCode::config, "--threads must be 1 to 64");
  if (o.backlog > 0 && (o.consumers == 0 || o.producers == 0)) {
    return fail(ErrorCode::config, "--backlog needs producers and consumers");
  }
  return {};
}

void assign_lanes(BenchPlan& plan, std::uint32_t producers, const std::string& routing_key) {
  plan.lanes_of_producer.resize(producers);
  const auto queues = static_cast<std::uint32_t>(plan.queues.size());
  const std::uint32_t lanes = plan.broadcast ? producers : std::max(producers, queues);
  for (std::uint32_t lane = 0; producers > 0 && lane < lanes; ++lane) {
    const std::uint32_t queue = plan.broadcast ? 0 : lane % queues;
    plan.lanes_of_producer[lane % producers].push_back(lane);
    plan.lanes.push_back({lane % producers, queue, plan.broadcast ? routing_key : plan.queues[queue]});
  }
}

}  // namespace

std::uint64_t BenchPlan::messages_of_producer(std::uint32_t producer, std::uint64_t messages) const {
  const std::size_t producers = lanes_of_producer.size();
  return messages / producers + (producer < messages % producers ? 1 : 0);
}

std::uint64_t BenchPlan::messages_of_lane(std::uint32_t lane, std::uint64_t messages) const {
  const std::uint32_t producer = lanes[lane].producer;
  const std::uint64_t total = messages_of_producer(producer, messages);
  const std::vector<std::uint32_t>& turns = lanes_of_producer[producer];
  const auto turn = static_cast<std::uint64_t>(std::ranges::find(turns, lane) - turns.begin());
  return total / turns.size() + (turn < total % turns.size() ? 1 : 0);
}

Result<BenchPlan> make_plan(const BenchOptions& options) {
  WEIR_TRY(check_topology(options));
  WEIR_TRY(check_flow(options));
  BenchPlan plan;
  const std::uint32_t queues = options.fanout > 0 ? options.fanout : options.queues;
  for (std::uint32_t q = 0; q < queues; ++q)
    plan.queues.push_back(fmt::format("{}.{:05}", options.name_prefix, q));
  if (options.fanout > 0) {
    plan.exchange = options.name_prefix + ".fanout";
    plan.exchange_type = "fanout";
  } else if (!options.exchange.empty()) {
    plan.exchange = options.exchange;
    // Names that begin with "amq." are the broker's own: they exist.
    plan.exchange_type = options.exchange.starts_with("amq.") ? "" : options.exchange_type;
  }
  plan.broadcast =
      plan.exchange_type == "fanout" || plan.exchange == "amq.fanout" || !options.routing_key.empty();
  plan.binding_key = options.binding_key.empty() ? options.routing_key : options.binding_key;
  assign_lanes(plan, options.producers > 0 ? options.producers : options.filled_by, options.routing_key);
  plan.queues_of_consumer.resize(options.consumers);
  for (std::uint32_t i = 0; options.consumers > 0 && i < std::max(options.consumers, queues); ++i) {
    plan.queues_of_consumer[i % options.consumers].push_back(i % queues);
  }
  return plan;
}

}  // namespace weir::cli
