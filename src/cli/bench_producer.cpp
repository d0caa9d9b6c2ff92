#include "cli/bench_producer.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/channel_methods.h"

namespace weir::cli {

namespace {
constexpr unsigned batches_at_once = 8;  // then other connections have their turn
}

ClientOptions client_options(const BenchOptions& options, std::string name) {
  return {.user = options.server.user,
          .password = options.server.password,
          .vhost = options.server.vhost,
          .name = std::move(name),
          .heartbeat_s = options.heartbeat_s};
}

BenchProducer::BenchProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally,
                             runtime::Loop& loop, Nudge& own_thread)
    : index_(index),
      producers_(context.options.producers),
      context_(context),
      tally_(tally),
      loop_(loop),
      own_thread_(own_thread),
      client_(client_options(context.options, fmt::format("weir bench producer {}", index)), loop, *this),
      window_(context.options.confirm ? context.options.window : 1),
      lanes_(context.plan.lanes_of_producer[index]),
      lane_seq_(lanes_.size()) {
  const std::uint64_t total = context.options.messages;
  if (total > 0) sent_max_ = context.plan.messages_of_producer(index, total);
}

void BenchProducer::on_ready() {
  make_batch();
  if (context_.options.tx) return client_.append(amqp091::TxSelect{});
  if (context_.options.confirm) return client_.append(amqp091::ConfirmSelect{});
  ready_ = true;
  context_.control.count_ready();
}

void BenchProducer::make_batch() {
  std::vector<std::string> keys;
  for (const std::uint32_t lane : lanes_) keys.push_back(context_.plan.lanes[lane].routing_key);
  const PublishFormat format{.exchange = context_.plan.exchange,
                             .mandatory = context_.options.mandatory,
                             .persistent = context_.options.persistent,
                             .size_bytes = context_.options.size_bytes,
                             .frame_max = client_.frame_max()};
  batch_.emplace(format, keys, context_.options.confirm ? context_.options.window : SIZE_MAX);
}

void BenchProducer::on_frame(const amqp091::Frame& frame) {
  using namespace amqp091;
  if (frame.type != FrameType::method) return;  // the content of a return
  const MethodId id = method_id_of(frame.payload);
  if (id == BasicAck::info.id) {
    const Decoded<BasicAck> ack = decode_as<BasicAck>(frame.payload);
    if (ack) settle(ack->delivery_tag, ack->multiple, false);
  } else if (id == BasicNack::info.id) {
    const Decoded<BasicNack> nack = decode_as<BasicNack>(frame.payload);
    if (nack) settle(nack->delivery_tag, nack->multiple, true);
  } else if (id == BasicReturn::info.id) {
    ++tally_.returned;
  } else if (id == TxCommitOk::info.id) {
    settle(sent_, true, false);
  } else if (id == ConfirmSelectOk::info.id || id == TxSelectOk::info.id) {
    ready_ = true;
    context_.control.count_ready();
  }
}

void BenchProducer::settle(std::uint64_t tag, bool multiple, bool refused) {
  const BenchTimes& times = context_.control.times;
  const bool known = window_.settle(tag, multiple, [&](std::uint64_t sent_ns, std::uint64_t count) {
    settled_in_input_ += count;
    if (refused) {
      tally_.refused += count;
    } else if (times.measured(sent_ns)) {
      tally_.confirm_latency.record(now_ns_ > sent_ns ? now_ns_ - sent_ns : 0, count);
    }
  });
  if (!known) ++tally_.bad_confirms;
}

void BenchProducer::on_input_end() {
  if (settled_in_input_ > 0) {
    const BenchTimes& times = context_.control.times;
    context_.control.confirmed.fetch_add(settled_in_input_, std::memory_order_relaxed);
    tally_.last_event_ns = now_ns_;
    if (times.measured(now_ns_)) {
      tally_.confirmed += settled_in_input_;
      count_in_second(tally_.confirmed_per_s, times.measure_begin_ns, now_ns_, settled_in_input_);
    }
    settled_in_input_ = 0;
  }
  publish_more();
  report_if_done();
}

void BenchProducer::on_failed(const Error& error) {
  context_.control.fail_with(fmt::format("producer {}: {}", index_, error.message));
  context_.control.count_closed();
}

std::uint64_t BenchProducer::due(std::uint64_t now_ns) const {
  const std::uint64_t all = pacer_->due(now_ns);
  return all <= index_ ? 0 : (all - index_ + producers_ - 1) / producers_;
}

std::uint64_t BenchProducer::backlog_room() {
  BenchControl& control = context_.control;
  const std::uint64_t limit = context_.options.backlog;
  const auto in_flight = [&] {
    // Consumed first: read the other way round it could seem to be ahead.
    const std::uint64_t consumed = control.consumed.load();
    return control.published.load() - consumed / context_.plan.copies();
  };
  std::uint64_t now = in_flight();
  if (now >= limit) {
    control.producer_waits.store(true);
    now = in_flight();
  }
  return limit - std::min(limit, now);
}

std::uint64_t BenchProducer::room(std::uint64_t now_ns) {
  if (context_.options.tx && window_.unconfirmed() > 0) return 0;
  std::uint64_t room = std::min<std::uint64_t>(batch_->room(), sent_max_ - sent_);
  if (context_.options.confirm) room = std::min<std::uint64_t>(room, window_.room());
  if (pacer_) {
    const std::uint64_t due_now = due(now_ns);
    room = std::min(room, due_now - std::min(due_now, sent_));
  }
  if (room > 0 && context_.options.backlog > 0) room = std::min(room, backlog_room());
  return room;
}

void BenchProducer::publish_more() {
  const BenchTimes& times = context_.control.times;
  if (ended_ || !ready_ || !context_.control.begun()) return;
  if (!pacer_ && context_.options.rate_per_s > 0) pacer_.emplace(context_.options.rate_per_s, times.start_ns);
  for (unsigned i = 0; i < batches_at_once; ++i) {
    if (client_.finished() || client_.blocked_by_broker() || !client_.output_idle()) return;
    const std::uint64_t now_ns = loop_.clock().monotonic_ns();
    if (now_ns >= times.measure_end_ns || sent_ == sent_max_) return end_publishing();
    batch_->clear();
    const std::uint64_t count = room(now_ns);
    if (count == 0) return;
    publish_batch(count, now_ns);
  }
  own_thread_.nudge();
}

void BenchProducer::publish_batch(std::uint64_t count, std::uint64_t now_ns) {
  MessageStamp stamp{.sent_ns = now_ns, .run = context_.run};
  for (std::uint64_t i = 0; i < count; ++i) {
    if (pacer_) {
      stamp.sent_ns = intended_ns(sent_ + i);
      if (context_.control.times.measured(stamp.sent_ns)) tally_.lateness.record(now_ns - stamp.sent_ns);
    }
    stamp.lane = lanes_[lane_];
    stamp.seq = lane_seq_[lane_]++;
    batch_->add(lane_, stamp);
    if (context_.options.confirm) window_.add(stamp.sent_ns);
    if (++lane_ == lanes_.size()) lane_ = 0;
  }
  sent_ += count;
  context_.control.published.fetch_add(count);
  if (context_.control.times.measured(now_ns)) tally_.published += count;
  batch_->pieces([this](Bytes piece) { client_.queue_bytes(piece); });
  if (context_.options.tx) client_.append(amqp091::TxCommit{});
  client_.flush();
}

void BenchProducer::end_publishing() {
  ended_ = true;
  report_if_done();
}

void BenchProducer::report_if_done() {
  if (!ended_ || reported_ || (context_.options.confirm && window_.unconfirmed() > 0)) return;
  reported_ = true;
  context_.control.count_publishing_done();
}

}  // namespace weir::cli
