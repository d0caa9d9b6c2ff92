// What it is: producers and consumers of `weir bench mqtt`. What a plan calls a queue is a topic here, or, with --fanout,
// a subscriber of the one topic.
// Shard: their loop's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/bench_protocol.h"
#include "cli/mqtt_client.h"

namespace weir::cli {

struct MqttOptions {
  mqtt::Version version = mqtt::Version::v3_1_1;
  std::uint8_t qos = 1;
  bool durable_session = false;  // of the subscribers
};

struct MqttMessages {
  mqtt::Version version = mqtt::Version::v3_1_1;
  std::uint8_t qos = 0;
  std::vector<std::string> topics;  // of the lanes, all of one length
  std::uint32_t size_bytes = 0;
};

PublishForm mqtt_form(MqttMessages messages);

// As make_plan(). Errors: config.
Result<BenchPlan> make_topic_plan(const BenchOptions& options);

class MqttProtocol final : public BenchProtocol {
 public:
  explicit MqttProtocol(const MqttOptions& mqtt) : mqtt_(mqtt) {}

  // Ends the durable sessions.
  Result<std::uint64_t> clean_up(const BenchOptions& options, const BenchPlan& plan,
                                 runtime::TlsContext* tls) const override;
  std::unique_ptr<BenchProducer> make_producer(std::uint32_t index, const BenchContext& context,
                                               BenchTally& tally, runtime::Loop& loop,
                                               Nudge& own_thread) const override;
  std::unique_ptr<BenchConsumer> make_consumer(std::uint32_t index, const BenchContext& context,
                                               BenchTally& tally, runtime::Loop& loop) const override;

 private:
  MqttOptions mqtt_;
};

}  // namespace weir::cli
