// What it is: the regular expressions of permissions, matched in bounded time. The syntax is what permissions use of
// Perl's: literals, classes, groups, alternatives, counts, anchors, look-ahead. No look-behind and no back-references:
// they are refused, since they can't be bounded.
// Errors: invalid_argument, with what is wrong and where.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::broker {

inline constexpr std::size_t pattern_bytes_max = 1'000;
inline constexpr std::size_t pattern_instructions_max = 8'192;
inline constexpr std::size_t pattern_nesting_max = 50;
// Beyond it a match is given up as "no": some tens of milliseconds.
inline constexpr std::size_t pattern_steps_max = 2'000'000;

class Pattern {
 public:
  static Result<Pattern> compile(std::string_view text);

  // Does it match anywhere in the subject?
  bool matches(std::string_view subject) const;
  // The same for one of many subjects, which share `steps_left`: where they are used up, the answer is "no".
  bool matches(std::string_view subject, std::size_t& steps_left) const;

  // `ahead` is followed by its own program, which ends in a match.
  enum class Op : std::uint8_t {
    set,
    split,
    jump,
    begin,
    end,
    very_end,
    word_edge,
    no_word_edge,
    ahead,
    match
  };
  struct Instruction {
    Op op = Op::match;
    bool negative = false;     // of ahead
    std::uint32_t first = 0;   // split, jump, ahead: where to go on; set: which
    std::uint32_t second = 0;  // split: or there
  };
  using Set = std::bitset<256>;  // of characters

 private:
  std::vector<Instruction> program_;
  std::vector<Set> sets_;
};

}  // namespace weir::broker
