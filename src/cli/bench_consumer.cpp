#include "cli/bench_consumer.h"

#include <fmt/format.h>

namespace weir::cli {

BenchConsumer::BenchConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally,
                             runtime::Loop& loop)
    : index_(index),
      context_(context),
      tally_(tally),
      loop_(loop),
      queues_(context.plan.queues_of_consumer[index]),
      check_(context.plan, queues_.size(), context.run, context.options.size_bytes, context.trackers, tally) {
}

void BenchConsumer::delivered(std::uint32_t queue, const std::byte* front, std::uint64_t body_bytes,
                              bool redelivered) {
  ++in_input_;
  if (body_bytes != context_.options.size_bytes) {
    ++tally_.wrong_length;
  } else if (context_.options.verify) {
    record_latency(check_.take(queue, front, redelivered));
  } else if (body_bytes >= stamp_with_time_bytes) {
    record_latency(read_stamp(front, body_bytes, 0).sent_ns);
  }
}

void BenchConsumer::record_latency(std::uint64_t sent_ns) {
  if (sent_ns == run_sent_ns_) {
    ++run_count_;
    return;
  }
  flush_latency();
  run_sent_ns_ = sent_ns;
  run_count_ = 1;
}

void BenchConsumer::flush_latency() {
  if (run_count_ > 0 && run_sent_ns_ > 0 && context_.control.times.measured(run_sent_ns_)) {
    tally_.deliver_latency.record(now_ns_ > run_sent_ns_ ? now_ns_ - run_sent_ns_ : 0, run_count_);
  }
  run_count_ = 0;
}

void BenchConsumer::end_input() {
  if (in_input_ == 0) return;
  flush_latency();
  BenchControl& control = context_.control;
  const std::uint64_t consumed = control.consumed.fetch_add(in_input_) + in_input_;
  tally_.last_event_ns = now_ns_;
  if (control.begun() && control.times.measured(now_ns_)) {
    tally_.consumed += in_input_;
    count_in_second(tally_.consumed_per_s, control.times.measure_begin_ns, now_ns_, in_input_);
  }
  in_input_ = 0;
  // A producer that waits for the backlog to shrink is called when a quarter of it has gone.
  if (control.producer_waits.load()) {
    const std::uint64_t delivered = consumed / context_.plan.copies();
    const std::uint64_t published = control.published.load();
    const bool low = published <= delivered + context_.options.backlog - context_.options.backlog / 4;
    if (low && control.producer_waits.exchange(false)) context_.producers.nudge();
  }
}

void BenchConsumer::lose(const Error& error) {
  fail_with(error.message);
  context_.control.count_closed();
}

void BenchConsumer::fail_with(std::string what) {
  context_.control.fail_with(fmt::format("consumer {}: {}", index_, what));
}

}  // namespace weir::cli
