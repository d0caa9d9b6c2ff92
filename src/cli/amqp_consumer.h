// What it is: a consumer of `weir bench amqp`: acknowledges in groups of --ack-every.
// Shard: its loop's thread.
#pragma once

#include <array>
#include <cstdint>

#include "cli/amqp_client.h"
#include "cli/bench_consumer.h"

namespace weir::cli {

class AmqpConsumer final : public BenchConsumer, ClientEvents {
 public:
  AmqpConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop);

  void start(std::unique_ptr<runtime::ByteStream> stream) override { client_.start(std::move(stream)); }
  void finish() override;

 private:
  enum class Expect : std::uint8_t { method, header, body };

  void on_ready() override;
  void on_input_begin() override { begin_input(); }
  void on_frame(const amqp091::Frame& frame) override;
  void on_input_end() override { end_input(); }
  void on_output_room() override {}
  void on_failed(const Error& error) override { lose(error); }
  void on_closed() override { context().control.count_closed(); }

  void on_method(Bytes payload);
  void on_deliver(Bytes payload);
  void on_body(Bytes payload);
  void on_message();
  void acknowledge();

  AmqpClient client_;
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
};

}  // namespace weir::cli
