#include "broker/selector/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/utf8.h"

namespace weir::broker {
namespace {

using Op = Selector::Op;
using Token = SelectorToken;

bool same_word(std::string_view a, std::string_view upper) {
  return std::equal(a.begin(), a.end(), upper.begin(), upper.end(),
                    [](char c, char wanted) { return (c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) == wanted; });
}

bool is_reserved(std::string_view word) {
  constexpr std::array<std::string_view, 11> words{"NULL", "TRUE", "FALSE", "NOT",     "AND",   "OR",
                                                   "IN",   "IS",   "LIKE",  "BETWEEN", "ESCAPE"};
  return std::any_of(words.begin(), words.end(), [&](std::string_view one) { return same_word(word, one); });
}

std::optional<Op> comparison_of(Token token) {
  switch (token) {
    case Token::equal: return Op::equal;
    case Token::not_equal: return Op::not_equal;
    case Token::less: return Op::less;
    case Token::less_equal: return Op::less_equal;
    case Token::greater: return Op::greater;
    case Token::greater_equal: return Op::greater_equal;
    default: return std::nullopt;
  }
}

}  // namespace

Result<Selector::Program> SelectorParser::parse() {
  const auto failed = [&] { return std::unexpected(*error_); };
  if (text_.size() > selector_bytes_max)
    fault(selector_bytes_max, fmt::format("it is longer than {} bytes", selector_bytes_max));
  if (!error_ && !valid_utf8(text_)) fault(0, "it is not UTF-8");
  if (error_ || !advance()) return failed();
  const Typed type = condition();
  if (!type || !need_truth(type, 0)) return failed();
  if (lexer_.token() != Token::end) fault(lexer_.at(), "AND, OR or the end is expected");
  if (error_) return failed();
  return std::move(program_);
}

// --- conditions ---

SelectorParser::Typed SelectorParser::condition() {
  const std::size_t at = lexer_.at();
  Typed left = conjunction();
  while (left && is_word("OR")) {
    if (!need_truth(left, at) || !advance()) return std::nullopt;
    const std::size_t right_at = lexer_.at();
    if (!need_truth(conjunction(), right_at)) return std::nullopt;
    apply(Op::logical_or, 2);
    left = Type::truth;
  }
  return left;
}

SelectorParser::Typed SelectorParser::conjunction() {
  const std::size_t at = lexer_.at();
  Typed left = negation();
  while (left && is_word("AND")) {
    if (!need_truth(left, at) || !advance()) return std::nullopt;
    const std::size_t right_at = lexer_.at();
    if (!need_truth(negation(), right_at)) return std::nullopt;
    apply(Op::logical_and, 2);
    left = Type::truth;
  }
  return left;
}

SelectorParser::Typed SelectorParser::negation() {
  if (!is_word("NOT")) return predicate();
  if (!enter() || !advance()) return std::nullopt;
  const std::size_t at = lexer_.at();
  if (!need_truth(negation(), at)) return std::nullopt;
  leave();
  apply(Op::logical_not, 1);
  return Type::truth;
}

SelectorParser::Typed SelectorParser::predicate() {
  const std::size_t at = lexer_.at();
  const Typed left = sum();
  if (!left) return std::nullopt;
  if (const auto op = comparison_of(lexer_.token())) return comparison(*left, at, *op);
  if (is_word("IS")) return null_test(*left, at);
  const bool negative = is_word("NOT");
  if (negative && !advance()) return std::nullopt;
  Typed made;
  if (is_word("BETWEEN")) {
    made = between(*left, at);
  } else if (is_word("LIKE")) {
    made = like(*left, at);
  } else if (is_word("IN")) {
    made = in(*left, at);
  } else {
    return negative ? fault(lexer_.at(), "BETWEEN, LIKE or IN is expected") : left;
  }
  if (made && negative) apply(Op::logical_not, 1);
  return made;
}

SelectorParser::Typed SelectorParser::comparison(Type left, std::size_t at, Op op) {
  const std::size_t op_at = lexer_.at();
  if (!advance()) return std::nullopt;
  const std::size_t right_at = lexer_.at();
  const Typed right = sum();
  if (!right) return std::nullopt;
  if (op != Op::equal && op != Op::not_equal && (!need_number(left, at) || !need_number(right, right_at)))
    return std::nullopt;
  if (comparison_of(lexer_.token())) return fault(lexer_.at(), "AND, OR or the end is expected");
  if (left != Type::name && *right != Type::name && left != *right)
    return fault(op_at, "what is compared is not of one kind");
  apply(op, 2);
  return Type::truth;
}

SelectorParser::Typed SelectorParser::null_test(Type left, std::size_t at) {
  if (left != Type::name) return fault(at, "only a property can be NULL");
  if (!advance()) return std::nullopt;
  const bool negative = is_word("NOT");
  if (negative && !advance()) return std::nullopt;
  if (!is_word("NULL")) return fault(lexer_.at(), "NULL is expected");
  if (!advance()) return std::nullopt;
  apply(Op::is_null, 1);
  if (negative) apply(Op::logical_not, 1);
  return Type::truth;
}

SelectorParser::Typed SelectorParser::between(Type left, std::size_t at) {
  if (!need_number(left, at) || !advance()) return std::nullopt;
  std::size_t bound_at = lexer_.at();
  if (!need_number(sum(), bound_at)) return std::nullopt;
  if (!is_word("AND")) return fault(lexer_.at(), "AND is expected");
  if (!advance()) return std::nullopt;
  bound_at = lexer_.at();
  if (!need_number(sum(), bound_at)) return std::nullopt;
  apply(Op::between, 3);
  return Type::truth;
}

SelectorParser::Typed SelectorParser::like(Type left, std::size_t at) {
  if (left != Type::name) return fault(at, "only a property is compared with a pattern");
  if (!advance()) return std::nullopt;
  const std::size_t pattern_at = lexer_.at();
  if (lexer_.token() != Token::text) return fault(pattern_at, "a pattern in quotes is expected");
  const std::string pattern = lexer_.value();
  if (!advance()) return std::nullopt;
  std::string escape;
  if (is_word("ESCAPE")) {
    if (!advance()) return std::nullopt;
    escape = lexer_.value();
    const auto characters = std::count_if(
        escape.begin(), escape.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; });
    if (lexer_.token() != Token::text || characters != 1)
      return fault(lexer_.at(), "one character in quotes is expected");
    if (!advance()) return std::nullopt;
  }
  auto compiled = LikePattern::compile(pattern, escape);
  if (!compiled) return fault(pattern_at, "the escape stands before something else than _, % or itself");
  program_.patterns.push_back(std::move(*compiled));
  apply(Op::like, 1, static_cast<std::uint16_t>(program_.patterns.size() - 1));
  return Type::truth;
}

SelectorParser::Typed SelectorParser::in(Type left, std::size_t at) {
  if (left != Type::name) return fault(at, "only a property can be in a list");
  if (!advance() || !expect(Token::open, "( is expected")) return std::nullopt;
  const auto first = static_cast<std::uint16_t>(program_.literals.size());
  if (!in_member()) return std::nullopt;
  while (lexer_.token() == Token::comma) {
    if (!advance() || !in_member()) return std::nullopt;
  }
  if (!expect(Token::close, ", or ) is expected")) return std::nullopt;
  apply(Op::in, 1, first, static_cast<std::uint16_t>(program_.literals.size() - first));
  return Type::truth;
}

bool SelectorParser::in_member() {
  if (lexer_.token() == Token::text) {
    program_.literals.push_back({{}, add_text(lexer_.value())});
    return advance();
  }
  const bool negative = lexer_.token() == Token::minus;
  if ((negative || lexer_.token() == Token::plus) && !advance()) return false;
  if (lexer_.token() == Token::number) return add_number(negative).has_value() && advance();
  fault(lexer_.at(), "a text in quotes or a number is expected");
  return false;
}

// --- values ---

SelectorParser::Typed SelectorParser::sum() {
  const std::size_t at = lexer_.at();
  Typed left = product();
  while (left && (lexer_.token() == Token::plus || lexer_.token() == Token::minus)) {
    const Op op = lexer_.token() == Token::plus ? Op::add : Op::subtract;
    if (!need_number(left, at) || !advance()) return std::nullopt;
    const std::size_t right_at = lexer_.at();
    if (!need_number(product(), right_at)) return std::nullopt;
    apply(op, 2);
    left = Type::number;
  }
  return left;
}

SelectorParser::Typed SelectorParser::product() {
  const std::size_t at = lexer_.at();
  Typed left = sign();
  while (left && (lexer_.token() == Token::times || lexer_.token() == Token::divided)) {
    const Op op = lexer_.token() == Token::times ? Op::multiply : Op::divide;
    if (!need_number(left, at) || !advance()) return std::nullopt;
    const std::size_t right_at = lexer_.at();
    if (!need_number(sign(), right_at)) return std::nullopt;
    apply(op, 2);
    left = Type::number;
  }
  return left;
}

SelectorParser::Typed SelectorParser::sign() {
  const bool negative = lexer_.token() == Token::minus;
  if (!negative && lexer_.token() != Token::plus) return value();
  if (!enter() || !advance()) return std::nullopt;
  const std::size_t at = lexer_.at();
  if (!need_number(sign(), at)) return std::nullopt;
  leave();
  if (negative) apply(Op::negate, 1);
  return Type::number;
}

SelectorParser::Typed SelectorParser::value() {
  const auto literal = [&](std::uint16_t index, Type type) -> Typed {
    if (!push(Op::literal, index) || !advance()) return std::nullopt;
    return type;
  };
  switch (lexer_.token()) {
    case Token::number: {
      const auto index = add_number(false);
      return index ? literal(*index, Type::number) : std::nullopt;
    }
    case Token::text:
      program_.literals.push_back({{}, add_text(lexer_.value())});
      return literal(static_cast<std::uint16_t>(program_.literals.size() - 1), Type::text);
    case Token::quoted_name: return named();
    case Token::name:
      if (is_word("TRUE") || is_word("FALSE")) {
        program_.literals.push_back({SelectorValue(is_word("TRUE")), Selector::no_text});
        return literal(static_cast<std::uint16_t>(program_.literals.size() - 1), Type::truth);
      }
      if (is_reserved(lexer_.value())) return fault(lexer_.at(), "a property or a value is expected");
      return named();
    case Token::open: {
      if (!enter() || !advance()) return std::nullopt;
      const Typed inner = condition();
      if (!inner || !expect(Token::close, ") is expected")) return std::nullopt;
      leave();
      return inner;
    }
    default: return fault(lexer_.at(), "a property or a value is expected");
  }
}

SelectorParser::Typed SelectorParser::named() {
  if (lexer_.value().empty()) return fault(lexer_.at(), "a property without a name");
  if (!push(Op::property, add_text(lexer_.value())) || !advance()) return std::nullopt;
  return Type::name;
}

// --- what they share ---

bool SelectorParser::advance() {
  const Status read = lexer_.next();
  if (!read) error_ = read.error();
  return read.has_value();
}

bool SelectorParser::expect(Token token, std::string_view what) {
  if (lexer_.token() == token) return advance();
  fault(lexer_.at(), what);
  return false;
}

bool SelectorParser::is_word(std::string_view word) const {
  return lexer_.token() == Token::name && same_word(lexer_.value(), word);
}

bool SelectorParser::enter() {
  if (++nesting_ <= selector_nesting_max) return true;
  fault(lexer_.at(), "it is nested too deeply");
  return false;
}

// `type` is what was emitted last.
bool SelectorParser::need_truth(Typed type, std::size_t at) {
  if (!type) return false;
  if (*type == Type::number || *type == Type::text) {
    fault(at, "a condition is expected");
    return false;
  }
  if (*type == Type::name) apply(Op::truth, 1);
  return true;
}

bool SelectorParser::need_number(Typed type, std::size_t at) {
  if (!type) return false;
  if (*type == Type::number || *type == Type::name) return true;
  fault(at, "a number is expected");
  return false;
}

bool SelectorParser::push(Op op, std::uint16_t index) {
  if (++height_ > selector_values_max) {
    fault(lexer_.at(), "it is nested too deeply");
    return false;
  }
  program_.instructions.push_back({op, index, 0});
  return true;
}

// Takes so many values, leaves one.
void SelectorParser::apply(Op op, std::size_t takes, std::uint16_t index, std::uint16_t count) {
  height_ -= takes - 1;
  program_.instructions.push_back({op, index, count});
}

std::uint16_t SelectorParser::add_text(std::string_view text) {
  program_.texts.emplace_back(text);
  return static_cast<std::uint16_t>(program_.texts.size() - 1);
}

std::optional<std::uint16_t> SelectorParser::add_number(bool negative) {
  const std::string digits = (negative ? "-" : "") + lexer_.value();
  const char* const end = digits.data() + digits.size();
  SelectorValue number;
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(digits.data(), end, whole);
      read.ec == std::errc() && read.ptr == end) {
    number = whole;
  } else {
    double broken = 0;
    const auto again = std::from_chars(digits.data(), end, broken);
    if (again.ec != std::errc() || again.ptr != end)
      return fault(lexer_.at(), "a number that is out of range");
    number = broken;
  }
  program_.literals.push_back({number, Selector::no_text});
  return static_cast<std::uint16_t>(program_.literals.size() - 1);
}

std::nullopt_t SelectorParser::fault(std::size_t at, std::string_view what) {
  if (!error_) error_ = selector_error(text_, at, what);
  return std::nullopt;
}

}  // namespace weir::broker
