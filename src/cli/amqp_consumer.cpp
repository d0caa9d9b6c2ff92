#include "cli/amqp_consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "cli/amqp_producer.h"
#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/content.h"

namespace weir::cli {

AmqpConsumer::AmqpConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally,
                           runtime::Loop& loop)
    : BenchConsumer(index, context, tally, loop),
      client_(client_options(context.options, fmt::format("weir bench consumer {}", index)), loop, *this) {}

void AmqpConsumer::on_ready() {
  if (!context().options.auto_ack) {
    client_.append(
        amqp091::BasicQos{.prefetch_count = static_cast<std::uint16_t>(context().options.prefetch)});
    ++replies_left_;
  }
  for (const std::uint32_t queue : queues()) {
    // The tag is the queue's number: that is how deliveries tell where they are from.
    client_.append(amqp091::BasicConsume{.queue = context().plan.queues[queue],
                                         .consumer_tag = fmt::to_string(queue),
                                         .no_ack = context().options.auto_ack});
    ++replies_left_;
  }
}

void AmqpConsumer::on_frame(const amqp091::Frame& frame) {
  using amqp091::FrameType;
  if (expect_ == Expect::body && frame.type == FrameType::body) return on_body(frame.payload);
  if (expect_ == Expect::method && frame.type == FrameType::method) return on_method(frame.payload);
  if (expect_ != Expect::header || frame.type != FrameType::header) return fail_with("a frame out of turn");
  const amqp091::Decoded<amqp091::ContentHeader> header = amqp091::decode_content_header(frame.payload);
  if (!header) return fail_with(fmt::format("bad content header: {}", header.error().text));
  body_bytes_ = header->body_bytes;
  body_got_ = 0;
  expect_ = Expect::body;
  if (body_bytes_ == 0) on_message();
}

void AmqpConsumer::on_method(Bytes payload) {
  using namespace amqp091;
  const MethodId id = method_id_of(payload);
  if (id == BasicDeliver::info.id) return on_deliver(payload);
  if (id == BasicCancel::info.id) return fail_with("the broker cancelled the consumer");
  if (id != BasicQosOk::info.id && id != BasicConsumeOk::info.id) return fail_with("an unexpected method");
  if (--replies_left_ == 0) become_ready();
}

void AmqpConsumer::on_deliver(Bytes payload) {
  const amqp091::Decoded<amqp091::BasicDeliver> deliver = amqp091::decode_as<amqp091::BasicDeliver>(payload);
  if (!deliver) return fail_with(fmt::format("bad delivery: {}", deliver.error().text));
  const std::string_view tag = deliver->consumer_tag;
  const auto parsed = std::from_chars(tag.data(), tag.data() + tag.size(), queue_);
  if (parsed.ec != std::errc() || queue_ >= context().plan.queues.size())
    return fail_with("an unknown consumer tag");
  last_tag_ = deliver->delivery_tag;
  redelivered_ = deliver->redelivered;
  expect_ = Expect::header;
}

void AmqpConsumer::on_body(Bytes payload) {
  if (body_got_ < front_.size()) {
    const std::size_t take = std::min<std::size_t>(front_.size() - body_got_, payload.size());
    std::memcpy(front_.data() + body_got_, payload.data(), take);
  }
  body_got_ += payload.size();
  if (body_got_ > body_bytes_) return fail_with("more body than its header says");
  if (body_got_ == body_bytes_) on_message();
}

void AmqpConsumer::on_message() {
  expect_ = Expect::method;
  delivered(queue_, front_.data(), body_bytes_, redelivered_);
  if (!context().options.auto_ack && ++unacknowledged_ >= context().options.ack_every) acknowledge();
}

void AmqpConsumer::acknowledge() {
  client_.append(amqp091::BasicAck{.delivery_tag = last_tag_, .multiple = unacknowledged_ > 1});
  unacknowledged_ = 0;
}

void AmqpConsumer::finish() {
  if (unacknowledged_ > 0) acknowledge();
  client_.close();
}

}  // namespace weir::cli
