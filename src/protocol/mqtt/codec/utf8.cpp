#include "protocol/mqtt/codec/utf8.h"

namespace weir::mqtt::detail {

namespace {

// A sequence by its first byte: how many follow, and the bounds of the first of these, which keep out overlong
// forms, surrogates and what lies past U+10FFFF.
struct Sequence {
  unsigned continuation_bytes;
  unsigned char second_min;
  unsigned char second_max;
};

Sequence sequence_of(unsigned char first) {
  if (first >= 0x01 && first < 0x80) return {0, 0, 0};
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

bool valid_utf8_slow(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Sequence sequence = sequence_of(static_cast<unsigned char>(text[at++]));
    for (unsigned i = 0; i < sequence.continuation_bytes; ++i, ++at) {
      if (at == text.size()) return false;
      const auto byte = static_cast<unsigned char>(text[at]);
      const unsigned char low = i == 0 ? sequence.second_min : 0x80;
      const unsigned char high = i == 0 ? sequence.second_max : 0xBF;
      if (byte < low || byte > high) return false;
    }
  }
  return true;
}

}  // namespace weir::mqtt::detail
