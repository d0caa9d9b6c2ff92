#include "cli/bench_producer.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::cli {

namespace {
constexpr unsigned batches_at_once = 8;  // then other connections have their turn
}

BenchProducer::BenchProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally,
                             runtime::Loop& loop, Nudge& own_thread)
    : index_(index),
      producers_(context.options.producers),
      context_(context),
      tally_(tally),
      loop_(loop),
      own_thread_(own_thread),
      window_(context.options.confirm ? context.options.window : 1),
      lanes_(context.plan.lanes_of_producer[index]),
      lane_seq_(lanes_.size()) {
  const std::uint64_t total = context.options.messages;
  if (total > 0) sent_max_ = context.plan.messages_of_producer(index, total);
}

void BenchProducer::narrow_window(std::size_t window_max) {
  if (context_.options.window > window_max) window_ = ConfirmWindow(window_max);
}

void BenchProducer::use_form(const PublishForm& form) {
  batch_.emplace(form, context_.options.confirm ? window_.room() : SIZE_MAX);
}

void BenchProducer::settle(std::uint64_t number, bool multiple, bool refused) {
  const BenchTimes& times = context_.control.times;
  const bool known = window_.settle(number, multiple, [&](std::uint64_t sent_ns, std::uint64_t count) {
    settled_in_input_ += count;
    if (refused) {
      tally_.refused += count;
    } else if (times.measured(sent_ns)) {
      tally_.confirm_latency.record(now_ns_ > sent_ns ? now_ns_ - sent_ns : 0, count);
    }
  });
  if (!known) ++tally_.bad_confirms;
}

void BenchProducer::settle_packet(std::uint16_t packet_id, bool refused) {
  settle(number_of_packet(packet_id, window_.lowest()), false, refused);
}

void BenchProducer::end_input() {
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

void BenchProducer::fail_with(const Error& error) {
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
  if (ended_ || !ready() || !context_.control.begun()) return;
  if (!pacer_ && context_.options.rate_per_s > 0) pacer_.emplace(context_.options.rate_per_s, times.start_ns);
  for (unsigned i = 0; i < batches_at_once; ++i) {
    if (!may_write()) return;
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
    batch_->add(lane_, stamp, sent_ + i + 1);
    if (context_.options.confirm) window_.add(stamp.sent_ns);
    if (++lane_ == lanes_.size()) lane_ = 0;
  }
  sent_ += count;
  context_.control.published.fetch_add(count);
  if (context_.control.times.measured(now_ns)) tally_.published += count;
  write(*batch_);
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
