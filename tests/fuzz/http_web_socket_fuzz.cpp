// Any bytes are frames of a client, or a fault with a code and words; however they are cut, the same comes out, and never
// more than went in.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "protocol/http/codec/web_socket_frame.h"

namespace {

using weir::http::WebSocketReader;

std::string read_all(weir::Bytes input, bool takes_text, std::size_t piece_bytes) {
  WebSocketReader reader(takes_text);
  std::string messages, events;
  while (!input.empty()) {
    std::string piece(weir::as_text(input.first(std::min(piece_bytes, input.size()))));
    const WebSocketReader::Step step =
        reader.take({reinterpret_cast<std::byte*>(piece.data()), piece.size()});
    WEIR_ASSERT(step.used > 0 && step.used <= piece.size() && step.payload <= step.used);
    messages += piece.substr(0, step.payload);
    input = input.subspan(step.used);
    if (step.event == WebSocketReader::Event::none) {
      WEIR_ASSERT(step.used == piece.size());
      continue;
    }
    events += std::to_string(static_cast<int>(step.event)) + "@" + std::to_string(messages.size()) + ":";
    if (step.event == WebSocketReader::Event::ping) events += weir::as_text(reader.control_payload());
    if (step.event == WebSocketReader::Event::fault) {
      WEIR_ASSERT(reader.code() >= 1002 && reader.code() <= 1007 && !reader.reason().empty());
      // How much of a text message was passed on before its fault depends on how it came.
      return reader.code() == weir::http::close_code::invalid_payload ? "text" : messages + events;
    }
    if (step.event == WebSocketReader::Event::close) {
      std::string answer;
      weir::http::append_close_frame(answer, reader.code(), reader.reason());
      WEIR_ASSERT(answer.size() >= 2 && answer.size() <= 127);
      return messages + events + answer;
    }
  }
  return messages + events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool takes_text = (data[0] & 1) != 0;
  const weir::Bytes input(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  const std::string whole = read_all(input, takes_text, SIZE_MAX);
  WEIR_ASSERT(read_all(input, takes_text, 1) == whole);
  WEIR_ASSERT(read_all(input, takes_text, 7) == whole);
  return 0;
}
