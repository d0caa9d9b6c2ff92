// Any bytes are frames or an error, the same however they are cut and whether bodies are kept or passed on, and cost no
// more than the limits.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/chunk.h"
#include "protocol/stomp/codec/frame_reader.h"
#include "protocol/stomp/codec/stored_headers.h"

namespace {

using weir::stomp::FrameReader;

constexpr weir::stomp::FrameLimits limits{.head_bytes = 512, .headers = 16, .body_bytes = 4'096};

void check_headers(const weir::stomp::Headers& headers, std::string& out) {
  std::string stored;
  append_stored(stored, headers);
  for (const auto& header : headers.all()) {
    out += headers.plain(header.name) + "=" + headers.plain(header.value) + ";";
    WEIR_ASSERT(headers.find(headers.plain(header.name)).has_value());
  }
  // What is kept is what was sent, and stays so from version to version.
  std::string again;
  append_lines(again, stored, weir::stomp::Version::v1_2);
  WEIR_ASSERT(again == stored);
  weir::stomp::Headers reread;
  WEIR_ASSERT(reread.parse(stored, weir::stomp::Version::v1_2, true, SIZE_MAX));
}

std::string read(weir::Bytes input, std::size_t piece_bytes, bool pass_on, weir::stomp::Version version) {
  FrameReader reader;
  reader.use(version);
  std::string out, body;
  while (!input.empty()) {
    const weir::Bytes piece = input.first(std::min(piece_bytes, input.size()));
    input = input.subspan(piece.size());
    const weir::ChunkRef chunk = weir::ChunkRef::adopt(weir::Chunk::make(piece.size()));
    std::copy(piece.begin(), piece.end(), chunk->data());
    weir::Bytes rest(chunk->data(), piece.size());
    for (;;) {
      const FrameReader::Kind kind = reader.next(rest, chunk.get(), limits);
      WEIR_ASSERT(reader.kept_bytes() <= 64U << 10);
      if (kind == FrameReader::Kind::none) break;
      if (kind == FrameReader::Kind::error) return out + "error";
      if (kind == FrameReader::Kind::head && pass_on) reader.pass_body_on();
      if (kind == FrameReader::Kind::part || kind == FrameReader::Kind::frame)
        body += weir::as_text(reader.body());
      if (kind == FrameReader::Kind::frame || kind == FrameReader::Kind::end) {
        out += "|" + std::string(reader.command()) + " " + std::exchange(body, {}) + " ";
        check_headers(reader.headers(), out);
      }
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::Bytes input(reinterpret_cast<const std::byte*>(data), size);
  for (const auto version :
       {weir::stomp::Version::v1_0, weir::stomp::Version::v1_1, weir::stomp::Version::v1_2}) {
    const std::string whole = read(input, size + 1, false, version);
    WEIR_ASSERT(read(input, 5, false, version) == whole);
    WEIR_ASSERT(read(input, 5, true, version) == whole);
  }
  return 0;
}
