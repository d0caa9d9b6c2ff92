// What it is: a producer of `weir bench amqp`.
// Shard: its loop's thread.
#pragma once

#include "cli/amqp_client.h"
#include "cli/bench_producer.h"

namespace weir::cli {

ClientOptions client_options(const BenchOptions& options, std::string name);

class AmqpProducer final : public BenchProducer, ClientEvents {
 public:
  AmqpProducer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop,
               Nudge& own_thread);

  void start(std::unique_ptr<runtime::ByteStream> stream) override { client_.start(std::move(stream)); }
  void close() override { client_.close(); }

 private:
  bool may_write() const override;
  void write(const PublishBatch& batch) override;

  void on_ready() override;
  void on_input_begin() override { begin_input(); }
  void on_frame(const amqp091::Frame& frame) override;
  void on_input_end() override { end_input(); }
  void on_output_room() override { publish_more(); }
  void on_failed(const Error& error) override { fail_with(error); }
  void on_closed() override { context().control.count_closed(); }

  AmqpClient client_;
};

}  // namespace weir::cli
