// What it is: the syntax tree of a Pattern, and its parser.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "broker/pattern.h"

namespace weir::broker {

struct PatternTree {
  enum class Kind : std::uint8_t {
    empty,
    set,
    sequence,
    choice,
    repeat,
    begin,
    end,
    very_end,
    word_edge,
    no_word_edge,
    ahead
  };
  static constexpr std::uint32_t unbounded = 0xffff'ffff;

  struct Node {
    Kind kind = Kind::empty;
    bool negative = false;              // of ahead
    std::uint32_t set = 0;              // which
    std::uint32_t least = 0, most = 0;  // of repeat
    std::vector<std::uint32_t> children;
  };
  std::vector<Node> nodes;
  std::vector<Pattern::Set> sets;
  std::uint32_t top = 0;
};

Result<PatternTree> parse_pattern(std::string_view text);

}  // namespace weir::broker
