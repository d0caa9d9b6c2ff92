// Any bytes are requests, or a fault with a status and words; the requests before a fault are the same however they are cut.
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "protocol/http/codec/request_parser.h"
#include "protocol/http/codec/target.h"

namespace {

constexpr std::size_t head_bytes_max = 4'096, body_bytes_max = 16'384;

std::string read_all(weir::Bytes input, std::size_t piece_bytes) {
  weir::http::RequestParser parser(head_bytes_max);
  std::string seen;
  std::vector<std::byte> held;
  bool expected = false;
  for (;;) {
    const std::size_t used = parser.put(held);
    held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(used));
    if (const auto& fault = parser.fault()) {
      WEIR_ASSERT(fault->status >= 400 && !fault->reason.empty());
      return seen;
    }
    if (parser.complete() && expected) {
      const weir::http::Request request = parser.take();
      WEIR_ASSERT(request.body.size() <= body_bytes_max);
      weir::http::parse_target(request.target);
      seen += request.method + " " + request.target + " " + request.body + "\n";
      expected = false;
      continue;
    }
    if (parser.has_head() && !expected) {
      parser.expect_body(body_bytes_max);
      expected = true;
      continue;
    }
    if (input.empty()) return seen;
    const std::size_t count = std::min(piece_bytes, input.size());
    held.insert(held.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
    input = input.subspan(count);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::Bytes input(reinterpret_cast<const std::byte*>(data), size);
  const std::string whole = read_all(input, SIZE_MAX);
  WEIR_ASSERT(read_all(input, 3) == whole);
  return 0;
}
