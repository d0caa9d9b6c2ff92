#include "cli/bench_consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/content.h"

namespace weir::cli {

BenchConsumer::BenchConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally,
                             runtime::Loop& loop)
    : index_(index),
      context_(context),
      tally_(tally),
      loop_(loop),
      client_(client_options(context.options, fmt::format("weir bench consumer {}", index)), loop, *this),
      check_(context.plan, context.run, context.options.size_bytes, context.trackers, tally),
      queues_(context.plan.queues_of_consumer[index]) {}

void BenchConsumer::on_ready() {
  if (!context_.options.auto_ack) {
    client_.append(
        amqp091::BasicQos{.prefetch_count = static_cast<std::uint16_t>(context_.options.prefetch)});
    ++replies_left_;
  }
  for (const std::uint32_t queue : queues_) {
    // The tag is the queue's number: that is how deliveries tell where they are from.
    client_.append(amqp091::BasicConsume{.queue = context_.plan.queues[queue],
                                         .consumer_tag = fmt::to_string(queue),
                                         .no_ack = context_.options.auto_ack});
    ++replies_left_;
  }
}

void BenchConsumer::on_input_begin() { now_ns_ = loop_.clock().monotonic_ns(); }

void BenchConsumer::on_frame(const amqp091::Frame& frame) {
  using amqp091::FrameType;
  if (expect_ == Expect::body && frame.type == FrameType::body) return on_body(frame.payload);
  if (expect_ == Expect::method && frame.type == FrameType::method) return on_method(frame.payload);
  if (expect_ != Expect::header || frame.type != FrameType::header) return fail_with("a frame out of turn");
  const amqp091::Decoded<amqp091::ContentHeader> header = amqp091::decode_content_header(frame.payload);
  if (!header) return fail_with(fmt::format("bad content header: {}", header.error().text));
  body_bytes_ = header->body_bytes;
  body_got_ = 0;
  expect_ = Expect::body;
  if (body_bytes_ == 0) delivered();
}

void BenchConsumer::on_method(Bytes payload) {
  using namespace amqp091;
  const MethodId id = method_id_of(payload);
  if (id == BasicDeliver::info.id) return on_deliver(payload);
  if (id == BasicCancel::info.id) return fail_with("the broker cancelled the consumer");
  if (id != BasicQosOk::info.id && id != BasicConsumeOk::info.id) return fail_with("an unexpected method");
  if (--replies_left_ == 0) context_.control.count_ready();
}

void BenchConsumer::on_deliver(Bytes payload) {
  const amqp091::Decoded<amqp091::BasicDeliver> deliver = amqp091::decode_as<amqp091::BasicDeliver>(payload);
  if (!deliver) return fail_with(fmt::format("bad delivery: {}", deliver.error().text));
  const std::string_view tag = deliver->consumer_tag;
  const auto parsed = std::from_chars(tag.data(), tag.data() + tag.size(), queue_);
  if (parsed.ec != std::errc() || queue_ >= context_.plan.queues.size())
    return fail_with("an unknown consumer tag");
  last_tag_ = deliver->delivery_tag;
  redelivered_ = deliver->redelivered;
  expect_ = Expect::header;
}

void BenchConsumer::on_body(Bytes payload) {
  if (body_got_ < front_.size()) {
    const std::size_t take = std::min<std::size_t>(front_.size() - body_got_, payload.size());
    std::memcpy(front_.data() + body_got_, payload.data(), take);
  }
  body_got_ += payload.size();
  if (body_got_ > body_bytes_) return fail_with("more body than its header says");
  if (body_got_ == body_bytes_) delivered();
}

void BenchConsumer::delivered() {
  expect_ = Expect::method;
  ++in_input_;
  if (body_bytes_ != context_.options.size_bytes) {
    ++tally_.wrong_length;
  } else if (context_.options.verify) {
    record_latency(check_.take(queue_, front_.data(), redelivered_));
  } else if (body_bytes_ >= stamp_with_time_bytes) {
    record_latency(read_stamp(front_.data(), body_bytes_, 0).sent_ns);
  }
  if (!context_.options.auto_ack && ++unacknowledged_ >= context_.options.ack_every) acknowledge();
}

void BenchConsumer::acknowledge() {
  client_.append(amqp091::BasicAck{.delivery_tag = last_tag_, .multiple = unacknowledged_ > 1});
  unacknowledged_ = 0;
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

void BenchConsumer::on_input_end() {
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

void BenchConsumer::finish() {
  if (unacknowledged_ > 0) acknowledge();
  client_.close();
}

void BenchConsumer::on_failed(const Error& error) {
  context_.control.fail_with(fmt::format("consumer {}: {}", index_, error.message));
  context_.control.count_closed();
}

void BenchConsumer::fail_with(std::string what) {
  context_.control.fail_with(fmt::format("consumer {}: {}", index_, what));
}

}  // namespace weir::cli
