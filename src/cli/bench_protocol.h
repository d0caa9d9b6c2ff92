// What it is: what a run of the load generator needs from the protocol that it speaks.
// Shard: make_… on any thread, the rest on the run's main thread.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "cli/bench_consumer.h"
#include "cli/bench_plan.h"
#include "cli/bench_producer.h"
#include "runtime/tls.h"

namespace weir::cli {

class BenchProtocol {
 public:
  virtual ~BenchProtocol() = default;

  // Blocking: makes what the plan needs on the broker, and removes it. clean_up() returns how many messages were left.
  virtual Status prepare(const BenchOptions& options, const BenchPlan& plan, runtime::TlsContext* tls) const;
  virtual Result<std::uint64_t> clean_up(const BenchOptions& options, const BenchPlan& plan,
                                         runtime::TlsContext* tls) const;

  virtual std::unique_ptr<BenchProducer> make_producer(std::uint32_t index, const BenchContext& context,
                                                       BenchTally& tally, runtime::Loop& loop,
                                                       Nudge& own_thread) const = 0;
  virtual std::unique_ptr<BenchConsumer> make_consumer(std::uint32_t index, const BenchContext& context,
                                                       BenchTally& tally, runtime::Loop& loop) const = 0;
};

// For protocols in which queues come and go with their clients.
inline Status BenchProtocol::prepare(const BenchOptions&, const BenchPlan&, runtime::TlsContext*) const {
  return {};
}
inline Result<std::uint64_t> BenchProtocol::clean_up(const BenchOptions&, const BenchPlan&,
                                                     runtime::TlsContext*) const {
  return 0;
}

}  // namespace weir::cli
