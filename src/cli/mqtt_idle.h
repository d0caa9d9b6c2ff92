// What it is: `weir bench mqtt --idle`: how fast a broker lets connections in, and what they cost it while they do nothing.
#pragma once

#include <cstdint>

#include "cli/bench_options.h"
#include "protocol/mqtt/codec/version.h"

namespace weir::cli {

// Blocking; prints, and writes --json. The exit code of the command.
int run_mqtt_idle(const char* command, const BenchOptions& options, mqtt::Version version,
                  std::uint32_t connections);

}  // namespace weir::cli
