// What it is: conditions on a message's properties in the subset of SQL-92 that JMS defines: comparisons, AND, OR, NOT of three
// values, BETWEEN, IN, LIKE with ESCAPE, IS NULL, arithmetic. What is not known (a property that is not there) is neither
// true nor false, and a message is selected by what is true alone. A name with other characters than letters, digits,
// "_", "$" and "." is written in double quotes.
// Errors: invalid_argument, with what is wrong and the character where it is, counted from 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "broker/selector/like.h"

namespace weir::broker {

inline constexpr std::size_t selector_bytes_max = 4'096;
inline constexpr std::size_t selector_nesting_max = 64;
inline constexpr std::size_t selector_values_max = 64;  // held at a time while one is worked out

// Text of a protocol whose headers have no types: it is a number, or true or false, where it is compared with one.
struct UntypedText {
  std::string_view text;
};
// std::monostate: it is not known. A text of these is never a number.
using SelectorValue = std::variant<std::monostate, bool, std::int64_t, double, std::string_view, UntypedText>;

class SelectorSource {
 public:
  // Views last until the question is answered.
  virtual SelectorValue property(std::string_view name) = 0;

 protected:
  ~SelectorSource() = default;
};

class Selector {
 public:
  static Result<Selector> parse(std::string_view text);

  bool matches(SelectorSource& source) const;

  // A program for a stack of values.
  enum class Op : std::uint8_t {
    literal,   // pushes literals[index]
    property,  // pushes the one of the name texts[index]
    truth,     // a property that is a condition by itself
    negate,
    add,
    subtract,
    multiply,
    divide,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    between,
    is_null,
    like,  // patterns[index]
    in,    // any of `count` literals from literals[index]
    logical_not,
    logical_and,
    logical_or,
  };
  struct Instruction {
    Op op{};
    std::uint16_t index = 0, count = 0;
  };
  struct Literal {
    SelectorValue value;           // where it is no text
    std::uint16_t text = no_text;  // an index
  };
  static constexpr std::uint16_t no_text = UINT16_MAX;
  struct Program {
    std::vector<Instruction> instructions;
    std::vector<Literal> literals;
    std::vector<std::string> texts;
    std::vector<LikePattern> patterns;
  };

 private:
  explicit Selector(Program program) : program_(std::move(program)) {}
  SelectorValue value_of(const Literal& literal) const;
  void run(const Instruction& instruction, SelectorValue* stack, std::size_t& height,
           SelectorSource& source) const;

  Program program_;
};

}  // namespace weir::broker
