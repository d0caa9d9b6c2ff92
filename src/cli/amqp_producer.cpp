#include "cli/amqp_producer.h"

#include <fmt/format.h>

#include "cli/amqp_messages.h"
#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/channel_methods.h"

namespace weir::cli {

using namespace amqp091;

ClientOptions client_options(const BenchOptions& options, std::string name) {
  return {.user = options.server.user,
          .password = options.server.password,
          .vhost = options.server.vhost,
          .name = std::move(name),
          .heartbeat_s = options.heartbeat_s};
}

AmqpProducer::AmqpProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally,
                           runtime::Loop& loop, Nudge& own_thread)
    : BenchProducer(index, context, tally, loop, own_thread),
      client_(client_options(context.options, fmt::format("weir bench producer {}", index)), loop, *this) {}

void AmqpProducer::on_ready() {
  const BenchOptions& options = context().options;
  std::vector<std::string> keys;
  for (const std::uint32_t lane : lanes()) keys.push_back(context().plan.lanes[lane].routing_key);
  use_form(amqp_form({.exchange = context().plan.exchange,
                      .routing_keys = std::move(keys),
                      .mandatory = options.mandatory,
                      .persistent = options.persistent,
                      .size_bytes = options.size_bytes,
                      .frame_max = client_.frame_max()}));
  if (options.tx) return client_.append(TxSelect{});
  if (options.confirm) return client_.append(ConfirmSelect{});
  become_ready();
}

bool AmqpProducer::may_write() const {
  return !client_.finished() && !client_.blocked_by_broker() && client_.output_idle();
}

void AmqpProducer::write(const PublishBatch& batch) {
  batch.pieces([this](Bytes piece) { client_.queue_bytes(piece); });
  if (context().options.tx) client_.append(TxCommit{});
  client_.flush();
}

void AmqpProducer::on_frame(const Frame& frame) {
  if (frame.type != FrameType::method) return;  // the content of a return
  const MethodId id = method_id_of(frame.payload);
  if (id == BasicAck::info.id) {
    const Decoded<BasicAck> ack = decode_as<BasicAck>(frame.payload);
    if (ack) settle(ack->delivery_tag, ack->multiple, false);
  } else if (id == BasicNack::info.id) {
    const Decoded<BasicNack> nack = decode_as<BasicNack>(frame.payload);
    if (nack) settle(nack->delivery_tag, nack->multiple, true);
  } else if (id == BasicReturn::info.id) {
    ++tally().returned;
  } else if (id == TxCommitOk::info.id) {
    settle(sent(), true, false);
  } else if (id == ConfirmSelectOk::info.id || id == TxSelectOk::info.id) {
    become_ready();
  }
}

}  // namespace weir::cli
