// What it is: declares what a run needs on the broker, and removes it. Blocking: over a connection and a loop of its own.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "cli/bench_options.h"
#include "cli/bench_plan.h"
#include "runtime/tls.h"

namespace weir::cli {

// Queues and exchange are removed first, unless --keep: a run begins with empty ones.
// Errors: closed, with the broker's words, when it refuses; timed_out.
Status declare_topology(const BenchOptions& options, const BenchPlan& plan, runtime::TlsContext* tls);

// Returns how many messages the queues still held.
Result<std::uint64_t> delete_topology(const BenchOptions& options, const BenchPlan& plan,
                                      runtime::TlsContext* tls);

}  // namespace weir::cli
