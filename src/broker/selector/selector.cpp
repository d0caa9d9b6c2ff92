#include "broker/selector/selector.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "broker/selector/parser.h"

namespace weir::broker {
namespace {

using Op = Selector::Op;
using Value = SelectorValue;

struct Number {
  std::int64_t whole = 0;
  double broken = 0;
  bool is_whole = true;
  // x86's long double holds every 64-bit integer.
  long double wide() const {
    return is_whole ? static_cast<long double>(whole) : static_cast<long double>(broken);
  }
};

bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value); }

std::optional<Number> parse_number(std::string_view text) {
  Number number;
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto whole = std::from_chars(text.data(), end, number.whole);
  if (whole.ec == std::errc() && whole.ptr == end) return number;
  number.is_whole = false;
  // What is a number in words ("inf", "nan") is none here.
  const bool digits = !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  const auto broken = std::from_chars(text.data(), end, number.broken);
  if (!digits || broken.ec != std::errc() || broken.ptr != end) return std::nullopt;
  return number;
}

std::optional<Number> number_of(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return Number{*whole, 0, true};
  if (const auto* broken = std::get_if<double>(&value)) return Number{0, *broken, false};
  if (const auto* untyped = std::get_if<UntypedText>(&value)) return parse_number(untyped->text);
  return std::nullopt;
}

bool same_word(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::optional<bool> truth_of(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth;
  const auto* untyped = std::get_if<UntypedText>(&value);
  if (untyped != nullptr && same_word(untyped->text, "true")) return true;
  if (untyped != nullptr && same_word(untyped->text, "false")) return false;
  return std::nullopt;
}

std::optional<std::string_view> text_of(const Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return *text;
  if (const auto* untyped = std::get_if<UntypedText>(&value)) return untyped->text;
  return std::nullopt;
}

bool is_typed_number(const Value& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

template <typename T>
bool holds(Op op, T a, T b) {
  switch (op) {
    case Op::equal: return a == b;
    case Op::not_equal: return a != b;
    case Op::less: return a < b;
    case Op::less_equal: return a <= b;
    case Op::greater: return a > b;
    case Op::greater_equal: return a >= b;
    default: return false;
  }
}

// Where the two are of different kinds, the answer is no, whatever is asked.
Value compare(Op op, const Value& a, const Value& b) {
  if (is_null(a) || is_null(b)) return {};
  const bool equality = op == Op::equal || op == Op::not_equal;
  if (!equality || is_typed_number(a) || is_typed_number(b)) {
    const auto left = number_of(a), right = number_of(b);
    return left && right && holds(op, left->wide(), right->wide());
  }
  if (std::holds_alternative<bool>(a) || std::holds_alternative<bool>(b)) {
    const auto left = truth_of(a), right = truth_of(b);
    return left && right && holds(op, *left, *right);
  }
  const auto left = text_of(a), right = text_of(b);
  return left && right && holds(op, *left, *right);
}

// What a whole number can't hold goes on as a broken one; what is no number at all is not known.
Value arithmetic(Op op, const Value& a, const Value& b) {
  const auto left = number_of(a), right = number_of(b);
  if (!left || !right) return {};
  if (left->is_whole && right->is_whole) {
    std::int64_t out = 0;
    if (op == Op::divide) {
      if (right->whole == 0) return {};
      if (right->whole != -1) return left->whole / right->whole;
      if (!__builtin_sub_overflow(std::int64_t{0}, left->whole, &out)) return out;
    }
    if (op == Op::add && !__builtin_add_overflow(left->whole, right->whole, &out)) return out;
    if (op == Op::subtract && !__builtin_sub_overflow(left->whole, right->whole, &out)) return out;
    if (op == Op::multiply && !__builtin_mul_overflow(left->whole, right->whole, &out)) return out;
  }
  const double x = static_cast<double>(left->wide()), y = static_cast<double>(right->wide());
  switch (op) {
    case Op::add: return x + y;
    case Op::subtract: return x - y;
    case Op::multiply: return x * y;
    default: return y == 0 ? Value() : Value(x / y);
  }
}

// Of truths, or what is not known.
Value both(const Value& a, const Value& b) {
  const auto left = truth_of(a), right = truth_of(b);
  if ((left && !*left) || (right && !*right)) return false;
  return left && right ? Value(true) : Value();
}

Value negation(const Value& a) {
  const auto truth = truth_of(a);
  return truth ? Value(!*truth) : Value();
}

Value like(const LikePattern& pattern, const Value& value) {
  if (is_null(value)) return {};
  const auto text = text_of(value);
  if (!text) return false;
  const auto matches = pattern.matches(*text);
  return matches ? Value(*matches) : Value();
}

}  // namespace

Result<Selector> Selector::parse(std::string_view text) {
  Result<Program> program = SelectorParser(text).parse();
  if (!program) return std::unexpected(std::move(program).error());
  return Selector(std::move(*program));
}

bool Selector::matches(SelectorSource& source) const {
  std::array<SelectorValue, selector_values_max> stack;
  std::size_t height = 0;
  for (const Instruction& instruction : program_.instructions) run(instruction, stack.data(), height, source);
  WEIR_ASSERT(height == 1);
  return truth_of(stack[0]).value_or(false);
}

SelectorValue Selector::value_of(const Literal& literal) const {
  return literal.text == no_text ? literal.value
                                 : SelectorValue(std::string_view(program_.texts[literal.text]));
}

void Selector::run(const Instruction& instruction, SelectorValue* stack, std::size_t& height,
                   SelectorSource& source) const {
  if (instruction.op == Op::literal || instruction.op == Op::property) {
    stack[height++] = instruction.op == Op::literal ? value_of(program_.literals[instruction.index])
                                                    : source.property(program_.texts[instruction.index]);
    return;
  }
  SelectorValue& top = stack[height - 1];
  switch (instruction.op) {
    case Op::truth: top = negation(negation(top)); return;
    case Op::negate: top = arithmetic(Op::subtract, SelectorValue(std::int64_t{0}), top); return;
    case Op::is_null: top = is_null(top); return;
    case Op::like: top = like(program_.patterns[instruction.index], top); return;
    case Op::logical_not: top = negation(top); return;
    case Op::in: {
      if (is_null(top)) return;
      bool found = false;
      for (std::size_t i = 0; i < instruction.count && !found; ++i)
        found = truth_of(compare(Op::equal, top, value_of(program_.literals[instruction.index + i])))
                    .value_or(false);
      top = found;
      return;
    }
    case Op::between: {
      SelectorValue& subject = stack[height - 3];
      subject =
          both(compare(Op::greater_equal, subject, stack[height - 2]), compare(Op::less_equal, subject, top));
      height -= 2;
      return;
    }
    default: break;
  }
  SelectorValue& left = stack[height - 2];
  switch (instruction.op) {
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide: left = arithmetic(instruction.op, left, top); break;
    case Op::logical_and: left = both(left, top); break;
    case Op::logical_or: left = negation(both(negation(left), negation(top))); break;
    default: left = compare(instruction.op, left, top); break;
  }
  --height;
}

}  // namespace weir::broker
