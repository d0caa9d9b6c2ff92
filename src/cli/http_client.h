// What it is: one call to a management API: connects, asks, waits for the answer, leaves.
// Errors: io_error, closed, timed_out: no answer was had; corrupt: it can't be read. An answer of any status is a result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/bench_options.h"
#include "protocol/http/codec/message.h"

namespace weir::cli {

struct HttpCall {
  std::string method = "GET";
  std::string target;  // from the slash on, percent-encoded
  std::string body;    // JSON; empty: none
  std::vector<http::Header> headers{};
  std::uint64_t answer_ms_max = 60'000;
  std::function<void(std::size_t sent, std::size_t of)> on_sent{};  // bytes of the request; may be empty
};

// An empty user: without a login. `ca_file`: who may have signed the server's certificate; empty: it is not verified.
Result<http::Response> call_http(const BenchServer& server, const std::string& ca_file, const HttpCall& call);

}  // namespace weir::cli
