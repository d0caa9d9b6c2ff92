#include "broker/dedup_id.h"

#include <bit>
#include <cstring>

namespace weir::broker {

namespace {

class SipHash {
 public:
  SipHash(std::uint64_t key_low, std::uint64_t key_high)
      : v0_(key_low ^ 0x736f6d6570736575ULL),
        v1_(key_high ^ 0x646f72616e646f6dULL ^ 0xee),
        v2_(key_low ^ 0x6c7967656e657261ULL),
        v3_(key_high ^ 0x7465646279746573ULL) {}

  void word(std::uint64_t of) {
    v3_ ^= of;
    rounds(2);
    v0_ ^= of;
  }
  DedupId finish() {
    v2_ ^= 0xee;
    rounds(4);
    DedupId id;
    id.low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    rounds(4);
    id.high = v0_ ^ v1_ ^ v2_ ^ v3_;
    return id;
  }

 private:
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0_ += v1_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v3_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ += v3_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ += v1_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v2_ = std::rotl(v2_, 32);
    }
  }
  std::uint64_t v0_, v1_, v2_, v3_;
};

}  // namespace

DedupId dedup_id(std::string_view text) {
  SipHash hash(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL);
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < 8; ++i) word |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << 8 * i;
    hash.word(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56;
  for (unsigned i = 0; at + i < text.size(); ++i)
    last |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << 8 * i;
  hash.word(last);
  return hash.finish();
}

}  // namespace weir::broker
