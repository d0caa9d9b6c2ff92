// Any bytes are a response or an error, the same however they are cut, and of bounded size.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "protocol/http/codec/response_parser.h"

namespace {

constexpr std::size_t body_bytes_max = 16'384;

std::optional<std::string> read(weir::Bytes input, std::size_t piece_bytes) {
  weir::http::ResponseParser parser(body_bytes_max);
  std::vector<std::byte> held;
  while (!input.empty() && !parser.complete()) {
    const weir::Bytes piece = input.first(std::min(piece_bytes, input.size()));
    input = input.subspan(piece.size());
    held.insert(held.end(), piece.begin(), piece.end());
    const auto used = parser.put(held);
    if (!used) return std::nullopt;
    WEIR_ASSERT(*used <= held.size());
    held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(*used));
  }
  if (!parser.finish()) return std::nullopt;
  const weir::http::Response response = parser.take();
  WEIR_ASSERT(response.body.size() <= body_bytes_max);
  return std::to_string(response.status) + " " + response.body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::Bytes input(reinterpret_cast<const std::byte*>(data), size);
  WEIR_ASSERT(read(input, size + 1) == read(input, 7));
  return 0;
}
