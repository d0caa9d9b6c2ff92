// What it is: producers and consumers of `weir bench stomp`.
// Shard: their loop's thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/bench_consumer.h"
#include "cli/bench_producer.h"
#include "cli/bench_protocol.h"
#include "cli/stomp_client.h"

namespace weir::cli {

enum class StompAck : std::uint8_t { automatic, client, individual };

// The destinations of the lanes and what else a SEND says. Receipts are numbered.
struct StompMessages {
  std::vector<std::string> destinations;  // all of one length
  bool persistent = true;
  bool receipts = true;
  std::uint32_t size_bytes = 0;
};

PublishForm stomp_form(StompMessages messages);

class StompProtocol final : public BenchProtocol {
 public:
  explicit StompProtocol(StompAck ack) : ack_(ack) {}

  std::unique_ptr<BenchProducer> make_producer(std::uint32_t index, const BenchContext& context,
                                               BenchTally& tally, runtime::Loop& loop,
                                               Nudge& own_thread) const override;
  std::unique_ptr<BenchConsumer> make_consumer(std::uint32_t index, const BenchContext& context,
                                               BenchTally& tally, runtime::Loop& loop) const override;

 private:
  StompAck ack_;
};

}  // namespace weir::cli
