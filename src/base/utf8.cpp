#include "base/utf8.h"

namespace weir {
namespace {

// A sequence by its first byte: how many follow, and the bounds of the first of these. The bounds are what
// keeps out overlong forms, surrogates and what lies past U+10FFFF.
struct Sequence {
  std::uint8_t continuation_bytes;
  std::uint8_t second_min;
  std::uint8_t second_max;
};

Sequence sequence_of(std::uint8_t first) {
  if (first < 0x80) return {0, 0x80, 0xBF};
  if (first >= 0xC2 && first <= 0xDF) return {1, 0x80, 0xBF};
  if (first == 0xE0) return {2, 0xA0, 0xBF};
  if (first == 0xED) return {2, 0x80, 0x9F};
  if (first >= 0xE1 && first <= 0xEF) return {2, 0x80, 0xBF};
  if (first == 0xF0) return {3, 0x90, 0xBF};
  if (first >= 0xF1 && first <= 0xF3) return {3, 0x80, 0xBF};
  if (first == 0xF4) return {3, 0x80, 0x8F};
  return {1, 0xFF, 0};  // none: no second byte fits
}

}  // namespace

bool Utf8Check::take(Bytes piece) {
  for (std::size_t at = 0; at < piece.size() && good_; ++at) {
    const auto byte = static_cast<std::uint8_t>(piece[at]);
    if (left_ > 0) {
      good_ = byte >= low_ && byte <= high_;
      low_ = 0x80;
      high_ = 0xBF;
      --left_;
      continue;
    }
    // Most text is ASCII.
    if (byte < 0x80) continue;
    const Sequence sequence = sequence_of(byte);
    left_ = sequence.continuation_bytes;
    low_ = sequence.second_min;
    high_ = sequence.second_max;
    good_ = low_ <= high_;
  }
  return good_;
}

bool detail::valid_utf8_slow(std::string_view text) {
  Utf8Check check;
  return check.take(as_bytes(text)) && check.whole();
}

}  // namespace weir
