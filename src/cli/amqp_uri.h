// What it is: where a server is: amqp[s]://user:password@host:port/vhost, as RabbitMQ's clients write it, and
// http[s]://user:password@host:port for its management.
#pragma once

#include <string_view>

#include "base/error.h"
#include "cli/bench_options.h"

namespace weir::cli {

// Parts that are not there keep the defaults of BenchServer (port 5671 with amqps). Errors: config.
Result<BenchServer> parse_amqp_uri(std::string_view uri);
// Port 15672, and 15671 with https. A path is refused.
Result<BenchServer> parse_http_uri(std::string_view uri);

}  // namespace weir::cli
