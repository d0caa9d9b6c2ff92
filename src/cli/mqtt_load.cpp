#include "cli/mqtt_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "cli/mqtt_crowd.h"

namespace weir::cli {

using namespace mqtt;

namespace {

// So that no two packet ids in flight are the same: see ConfirmWindow.
constexpr std::uint32_t window_max = 4'096;

std::string subscriber_id(const BenchOptions& options, std::uint32_t index) {
  return fmt::format("{}-s{:05}", options.name_prefix, index);
}

class MqttProducer final : public BenchProducer, MqttEvents {
 public:
  MqttProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop,
               Nudge& own_thread, const MqttOptions& mqtt)
      : BenchProducer(index, context, tally, loop, own_thread),
        qos_(mqtt.qos),
        client_(context.options.server,
                {.version = mqtt.version,
                 .client_id = fmt::format("{}-p{:05}", context.options.name_prefix, index)},
                *this) {}

  void start(std::unique_ptr<runtime::ByteStream> stream) override { client_.start(std::move(stream)); }
  void close() override {
    client_.close();
    context().control.count_closed();
  }

 private:
  bool may_write() const override { return client_.may_write(); }
  void write(const PublishBatch& batch) override {
    batch.pieces([this](Bytes piece) { client_.queue_bytes(piece); });
    client_.flush();
  }

  void on_ready(const Connack& connack) override;
  void on_input_begin() override { begin_input(); }
  void on_packet(const PacketReader& packet) override;
  void on_input_end() override { end_input(); }
  void on_output_room() override { publish_more(); }
  void on_failed(const Error& error) override { BenchProducer::fail_with(error); }

  std::uint8_t qos_;
  MqttClient client_;
};

void MqttProducer::on_ready(const Connack& connack) {
  std::vector<std::string> topics;
  for (const std::uint32_t lane : lanes()) topics.push_back(context().plan.lanes[lane].routing_key);
  narrow_window(connack.properties.receive_maximum.value_or(UINT16_MAX));
  use_form(mqtt_form({.version = client_.version(),
                      .qos = qos_,
                      .topics = std::move(topics),
                      .size_bytes = context().options.size_bytes}));
  become_ready();
}

void MqttProducer::on_packet(const PacketReader& packet) {
  const auto ack = decode_server_ack(client_.version(), packet.type(), packet.body());
  const PacketType last = qos_ == 2 ? PacketType::pubcomp : PacketType::puback;
  const bool expected = packet.type() == last || (qos_ == 2 && packet.type() == PacketType::pubrec);
  if (!ack || !expected || ack->packet_id == 0)
    return client_.fail_with(fmt::format("a {} that answers nothing", to_string(packet.type())));
  if (packet.type() == last || is_failure(ack->code))
    return settle_packet(ack->packet_id, is_failure(ack->code));
  client_.append_ack(PacketType::pubrel, ack->packet_id);
}

class MqttConsumer final : public BenchConsumer, MqttEvents {
 public:
  MqttConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop,
               const MqttOptions& mqtt)
      : BenchConsumer(index, context, tally, loop),
        qos_(mqtt.qos),
        client_(context.options.server,
                {.version = mqtt.version,
                 .client_id = subscriber_id(context.options, index),
                 .clean = !mqtt.durable_session,
                 .receive_maximum = static_cast<std::uint16_t>(context.options.prefetch)},
                *this) {}

  void start(std::unique_ptr<runtime::ByteStream> stream) override { client_.start(std::move(stream)); }
  void finish() override {
    client_.close();
    context().control.count_closed();
  }

 private:
  void on_ready(const Connack& connack) override;
  void on_input_begin() override { begin_input(); }
  void on_packet(const PacketReader& packet) override;
  void on_input_end() override { end_input(); }
  void on_failed(const Error& error) override { lose(error); }

  void on_publish(const PacketReader& packet);
  void on_suback(const PacketReader& packet);
  std::uint32_t queue_of(std::string_view topic) const;

  std::uint8_t qos_;
  MqttClient client_;
};

void MqttConsumer::on_ready(const Connack&) {
  const BenchPlan& plan = context().plan;
  std::vector<Subscription> wanted;
  for (const std::uint32_t queue : queues()) {
    wanted.push_back(
        {.filter = plan.broadcast ? plan.lanes.front().routing_key : plan.queues[queue], .qos = qos_});
  }
  client_.append(SubscribeRequest{.packet_id = 1, .subscriptions = wanted});
}

void MqttConsumer::on_packet(const PacketReader& packet) {
  if (packet.type() == PacketType::publish) [[likely]]
    return on_publish(packet);
  if (packet.type() == PacketType::suback) return on_suback(packet);
  const auto ack = decode_server_ack(client_.version(), packet.type(), packet.body());
  if (!ack || packet.type() != PacketType::pubrel)
    return client_.fail_with(fmt::format("an unexpected {}", to_string(packet.type())));
  client_.append_ack(PacketType::pubcomp, ack->packet_id);
}

void MqttConsumer::on_suback(const PacketReader& packet) {
  const auto ack = decode_subscription_ack(client_.version(), PacketType::suback, packet.body());
  const auto granted = [this](ReasonCode code) { return number_of(code) == qos_; };
  if (!ack || ack->codes.size() != queues().size() || !std::ranges::all_of(ack->codes, granted))
    return client_.fail_with("the broker does not grant the subscription");
  become_ready();
}

void MqttConsumer::on_publish(const PacketReader& packet) {
  const auto publish = decode_server_publish(client_.version(), packet.flags(), packet.body());
  if (!publish) return client_.fail_with(fmt::format("bad PUBLISH: {}", publish.error().text));
  if (publish->qos != qos_) return client_.fail_with(fmt::format("a message of QoS {}", publish->qos));
  const std::uint32_t queue = queue_of(publish->topic);
  if (queue >= context().plan.queues.size()) return client_.fail_with("a message of an unknown topic");
  delivered(queue, publish->payload.data(), publish->payload.size(), publish->dup);
  if (qos_ == 0) return;
  client_.append_ack(qos_ == 1 ? PacketType::puback : PacketType::pubrec, publish->packet_id);
}

// By the number that its name ends with.
std::uint32_t MqttConsumer::queue_of(std::string_view topic) const {
  if (queues().size() == 1) return queues().front();
  std::uint32_t queue = UINT32_MAX;
  const std::string_view number = topic.substr(topic.rfind('.') + 1);
  std::from_chars(number.data(), number.data() + number.size(), queue);
  return queue;
}

}  // namespace

PublishForm mqtt_form(MqttMessages messages) {
  const auto head_of = [](const MqttMessages& of, std::size_t lane) {
    return PublishHead{.topic = of.topics[lane],
                       .qos = of.qos,
                       .packet_id = static_cast<std::uint16_t>(of.qos == 0 ? 0 : 1),
                       .payload_bytes = of.size_bytes};
  };
  PublishForm form;
  form.lanes = messages.topics.size();
  form.body_at = size_of(messages.version, head_of(messages, 0));
  form.body_bytes = messages.size_bytes;
  if (messages.qos > 0) {
    std::vector<std::byte> head(form.body_at);
    form.number = NumberField::packet_id;
    form.number_at = write(head.data(), messages.version, head_of(messages, 0)).packet_id_at;
  }
  form.message = [messages = std::move(messages), head_of,
                  body = make_body(form.body_bytes)](std::size_t lane) {
    const PublishHead head = head_of(messages, lane);
    const std::size_t head_bytes = size_of(messages.version, head);
    std::vector<std::byte> packet(head_bytes + body.size());
    write(packet.data(), messages.version, head);
    if (!body.empty()) std::memcpy(packet.data() + head_bytes, body.data(), body.size());
    return packet;
  };
  return form;
}

Result<BenchPlan> make_topic_plan(const BenchOptions& options) {
  if (options.fanout == 0 && options.consumers > options.queues)
    return fail(ErrorCode::config, "more --consumers than --topics: each topic has one subscriber");
  if (options.window > window_max) return fail(ErrorCode::config, "--window is at most 4096");
  if (options.prefetch == 0) return fail(ErrorCode::config, "--receive-maximum must be 1 to 65535");
  Result<BenchPlan> plan = make_plan(options);
  if (plan && plan->broadcast) {
    for (BenchLane& lane : plan->lanes) lane.routing_key = plan->exchange;
  }
  return plan;
}

Result<std::uint64_t> MqttProtocol::clean_up(const BenchOptions& options, const BenchPlan&,
                                             runtime::TlsContext* tls) const {
  if (!mqtt_.durable_session) return 0;
  std::vector<std::string> ids;
  for (std::uint32_t i = 0; i < options.consumers; ++i) ids.push_back(subscriber_id(options, i));
  // With a clean start, what was kept for them goes.
  MqttCrowd crowd(options.server, mqtt_.version, tls);
  WEIR_TRY(crowd.open(ids));
  WEIR_TRY(crowd.close());
  return 0;
}

std::unique_ptr<BenchProducer> MqttProtocol::make_producer(std::uint32_t index, const BenchContext& context,
                                                           BenchTally& tally, runtime::Loop& loop,
                                                           Nudge& own_thread) const {
  return std::make_unique<MqttProducer>(index, context, tally, loop, own_thread, mqtt_);
}

std::unique_ptr<BenchConsumer> MqttProtocol::make_consumer(std::uint32_t index, const BenchContext& context,
                                                           BenchTally& tally, runtime::Loop& loop) const {
  return std::make_unique<MqttConsumer>(index, context, tally, loop, mqtt_);
}

}  // namespace weir::cli
