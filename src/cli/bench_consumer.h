// What it is: one consuming connection of a run: takes deliveries from its queues, checks and times them, and
// acknowledges them in groups of --ack-every.
// Shard: its loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cli/bench_connection.h"

namespace weir::cli {

class BenchConsumer final : ClientEvents {
 public:
  BenchConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop);

  AmqpClient& client() { return client_; }
  // Acknowledges what is left. The run is over.
  void finish();

 private:
  enum class Expect : std::uint8_t { method, header, body };

  void on_ready() override;
  void on_input_begin() override;
  void on_frame(const amqp091::Frame& frame) override;
  void on_input_end() override;
  void on_output_room() override {}
  void on_failed(const Error& error) override;
  void on_closed() override { context_.control.count_closed(); }

  void on_method(Bytes payload);
  void on_deliver(Bytes payload);
  void on_body(Bytes payload);
  void delivered();
  void acknowledge();
  void record_latency(std::uint64_t sent_ns);
  void flush_latency();
  void fail_with(std::string what);

  std::uint32_t index_;
  const BenchContext& context_;
  BenchTally& tally_;
  runtime::Loop& loop_;
  AmqpClient client_;
  DeliveryCheck check_;
  std::vector<std::uint32_t> queues_;
  std::uint32_t replies_left_ = 0;  // of the set-up

  // The message that is coming in.
  Expect expect_ = Expect::method;
  std::uint32_t queue_ = 0;
  bool redelivered_ = false;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t body_got_ = 0;
  std::array<std::byte, stamp_bytes> front_{};  // of the body

  std::uint64_t last_tag_ = 0;
  std::uint32_t unacknowledged_ = 0;
  std::uint64_t now_ns_ = 0;       // when the input was read that is being handled
  std::uint64_t in_input_ = 0;     // deliveries in it
  std::uint64_t run_sent_ns_ = 0;  // messages in a row that were sent at the same time are recorded at once
  std::uint64_t run_count_ = 0;
};

}  // namespace weir::cli
