// What it is: one consuming connection of a run, whatever it speaks: checks and times what its queues deliver. A protocol
// derives from it, and acknowledges.
// Shard: its loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/bench_connection.h"

namespace weir::cli {

class BenchConsumer : public BenchConnection {
 public:
  BenchConsumer(std::uint32_t index, const BenchContext& context, BenchTally& tally, runtime::Loop& loop);

  // Acknowledges what is left and says goodbye: control.count_closed() follows.
  virtual void finish() = 0;

 protected:
  const BenchContext& context() const { return context_; }
  runtime::Loop& loop() { return loop_; }
  std::uint32_t index() const { return index_; }
  const std::vector<std::uint32_t>& queues() const { return queues_; }

  void become_ready() { BenchConnection::become_ready(context_.control); }
  // Around what one read brought.
  void begin_input() { now_ns_ = loop_.clock().monotonic_ns(); }
  void end_input();
  // A message with so many bytes came; the first ones, as many as there are but at most stamp_bytes, lie at `front`.
  void delivered(std::uint32_t queue, const std::byte* front, std::uint64_t body_bytes, bool redelivered);
  void fail_with(std::string what);
  // The connection is lost.
  void lose(const Error& error);

 private:
  void record_latency(std::uint64_t sent_ns);
  void flush_latency();

  std::uint32_t index_;
  const BenchContext& context_;
  BenchTally& tally_;
  runtime::Loop& loop_;
  std::vector<std::uint32_t> queues_;
  DeliveryCheck check_;

  std::uint64_t now_ns_ = 0;       // when the input was read that is being handled
  std::uint64_t in_input_ = 0;     // deliveries in it
  std::uint64_t run_sent_ns_ = 0;  // messages in a row that were sent at the same time are recorded at once
  std::uint64_t run_count_ = 0;
};

}  // namespace weir::cli
