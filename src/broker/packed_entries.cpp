#include "broker/packed_entries.h"

#include <cstdint>

#include "base/assert.h"
#include "base/cursor.h"

namespace weir::broker {
namespace {

enum class Token : std::uint8_t { along = 0, gone = 1, jump = 2, step = 3, marks = 4 };

constexpr unsigned low_bits = 22;
constexpr std::uint64_t low_mask = (std::uint64_t{1} << low_bits) - 1;

std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1 ^ (difference >> 63 == 0 ? 0 : ~std::uint64_t{0});
}
std::uint64_t zagzig(std::uint64_t value) { return value >> 1 ^ (0 - (value & 1)); }

class Packer {
 public:
  explicit Packer(std::vector<std::byte>& out) : out_(out) {}

  void gone() {
    if (run_ != Token::gone) end_run();
    run_ = Token::gone;
    ++count_;
  }
  // `next` is the one after it, if that is there: whether its distance is the old step tells a jump from a new step.
  void add(const Entry& entry, const Entry* next) {
    const std::uint64_t high = entry.reference() >> low_bits, low = entry.reference() & low_mask;
    const std::uint64_t further = high - high_;
    if (entry.marks() != marks_) {
      end_run();
      token(Token::marks, entry.marks());
      marks_ = entry.marks();
    }
    if (low == low_ && further == step_) {
      if (run_ != Token::along) end_run();
      run_ = Token::along;
      ++count_;
    } else {
      end_run();
      const bool jumps = low == low_ && next != nullptr && (next->reference() >> low_bits) - high == step_;
      token(jumps ? Token::jump : Token::step, zigzag(jumps ? further - step_ : further));
      if (!jumps) {
        out_.varint(zigzag(low - low_));
        step_ = further;
      }
    }
    high_ = high;
    low_ = low;
  }
  void end_run() {
    if (count_ > 0) token(run_, count_ - 1);
    count_ = 0;
  }

 private:
  void token(Token what, std::uint64_t n) { out_.varint(n << 3 | static_cast<std::uint64_t>(what)); }

  Writer out_;
  Token run_ = Token::along;
  std::uint64_t count_ = 0;
  std::uint64_t high_ = 0, low_ = 0, step_ = 0;
  std::uint8_t marks_ = 0;
};

}  // namespace

bool pack_entries(std::span<const Entry> entries, std::vector<std::byte>& out) {
  out.clear();
  Packer packer(out);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (entry.state() == EntryState::out) return false;
    if (entry.state() == EntryState::gone) {
      packer.gone();
      continue;
    }
    const bool followed = i + 1 < entries.size() && entries[i + 1].state() != EntryState::gone;
    packer.add(entry, followed ? &entries[i + 1] : nullptr);
  }
  packer.end_run();
  return out.size() < entries.size_bytes();
}

void unpack_entries(std::span<const std::byte> from, std::span<Entry> entries) {
  Reader in(from);
  std::uint64_t high = 0, low = 0, step = 0;
  std::uint8_t marks = 0;
  for (std::size_t at = 0; at < entries.size();) {
    const std::uint64_t token = in.varint();
    const std::uint64_t n = token >> 3;
    WEIR_ASSERT(in.ok());
    switch (static_cast<Token>(token & 7U)) {
      case Token::marks: marks = static_cast<std::uint8_t>(n); continue;
      case Token::along:
        WEIR_ASSERT(n < entries.size() - at);
        for (const std::size_t end = at + n + 1; at < end; ++at) {
          high += step;
          entries[at] = Entry::of(high << low_bits | low, marks);
        }
        continue;
      case Token::gone:
        WEIR_ASSERT(n < entries.size() - at);
        for (const std::size_t end = at + n + 1; at < end; ++at) entries[at] = Entry();
        continue;
      case Token::jump: high += step + zagzig(n); break;
      case Token::step:
        step = zagzig(n);
        high += step;
        low += zagzig(in.varint());
        break;
    }
    entries[at++] = Entry::of(high << low_bits | low, marks);
  }
  WEIR_ASSERT(in.ok() && in.at_end());
}

}  // namespace weir::broker
