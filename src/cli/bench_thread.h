// What it is: one thread of a run: a loop with its producers and consumers.
// Shard: its own; start(), nudge(), finish() and stop() are for the run's main thread, the getters for after join().
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "cli/bench_protocol.h"
#include "runtime/loop.h"
#include "runtime/tls.h"

namespace weir::cli {

class BenchThread final : public Nudge, runtime::TurnHandler {
 public:
  // `tls` is null for plain TCP.
  BenchThread(const BenchContext& context, const BenchProtocol& protocol, runtime::TlsContext* tls)
      : context_(context), protocol_(protocol), tls_(tls) {}
  ~BenchThread();

  Status make_loop();
  void add_producer(std::uint32_t index);
  void add_consumer(std::uint32_t index);
  bool has_producers() const { return !producers_.empty(); }

  // Connects what was added, then runs until stop().
  void start();
  void nudge() override;
  // Settles and says goodbye: control.count_closed() follows for each connection.
  void finish();
  void stop();  // and joins

  const BenchTally& tally() const { return tally_; }
  const std::vector<std::unique_ptr<BenchProducer>>& producers() const { return producers_; }

 private:
  bool begin_turn() override;
  void end_turn() override {}
  void connect_more();
  std::unique_ptr<runtime::ByteStream> connect();

  const BenchContext& context_;
  const BenchProtocol& protocol_;
  runtime::TlsContext* tls_;
  std::unique_ptr<runtime::Loop> loop_;
  BenchTally tally_;
  std::vector<std::unique_ptr<BenchProducer>> producers_;
  std::vector<std::unique_ptr<BenchConsumer>> consumers_;
  std::vector<BenchConnection*> connections_;  // all of them, in the order in which they are started
  std::size_t started_ = 0, set_up_ = 0;       // of them, from the front
  std::atomic<bool> nudged_{false};
  std::thread thread_;
};

}  // namespace weir::cli
