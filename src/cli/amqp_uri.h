// What it is: amqp[s]://user:password@host:port/vhost, as RabbitMQ's clients write it.
#pragma once

#include <string_view>

#include "base/error.h"
#include "cli/bench_options.h"

namespace weir::cli {

// Parts that are not there keep the defaults of BenchServer (port 5671 with amqps). Errors: config.
Result<BenchServer> parse_amqp_uri(std::string_view uri);

}  // namespace weir::cli
