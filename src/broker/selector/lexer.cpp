#include "broker/selector/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::broker {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) { return begins_name(c) || is_digit(c) || c == '.'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

}  // namespace

Error selector_error(std::string_view text, std::size_t at, std::string_view what) {
  const auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; };
  const std::string_view before = text.substr(0, at);
  const auto characters = std::count_if(before.begin(), before.end(), begins_character);
  return {ErrorCode::invalid_argument, fmt::format("selector: {}, at character {}", what, characters + 1)};
}

Status SelectorLexer::next() {
  while (position_ < text_.size() && is_space(text_[position_])) ++position_;
  at_ = position_;
  value_.clear();
  token_ = SelectorToken::end;
  if (position_ == text_.size()) return {};
  const char first = text_[position_];
  const char second = position_ + 1 < text_.size() ? text_[position_ + 1] : '\0';
  if (begins_name(first)) {
    while (position_ < text_.size() && continues_name(text_[position_])) value_ += text_[position_++];
    token_ = SelectorToken::name;
    return {};
  }
  if (is_digit(first) || (first == '.' && is_digit(second))) return take_number();
  switch (first) {
    case '\'': return take_quoted(first, SelectorToken::text);
    case '"': return take_quoted(first, SelectorToken::quoted_name);
    case '(': take_symbol(SelectorToken::open, 1); return {};
    case ')': take_symbol(SelectorToken::close, 1); return {};
    case ',': take_symbol(SelectorToken::comma, 1); return {};
    case '=': take_symbol(SelectorToken::equal, 1); return {};
    case '+': take_symbol(SelectorToken::plus, 1); return {};
    case '-': take_symbol(SelectorToken::minus, 1); return {};
    case '*': take_symbol(SelectorToken::times, 1); return {};
    case '/': take_symbol(SelectorToken::divided, 1); return {};
    case '<':
      if (second == '>') {
        take_symbol(SelectorToken::not_equal, 2);
      } else if (second == '=') {
        take_symbol(SelectorToken::less_equal, 2);
      } else {
        take_symbol(SelectorToken::less, 1);
      }
      return {};
    case '>':
      if (second == '=') {
        take_symbol(SelectorToken::greater_equal, 2);
      } else {
        take_symbol(SelectorToken::greater, 1);
      }
      return {};
    default: return std::unexpected(selector_error(text_, at_, "a character that has no meaning here"));
  }
}

void SelectorLexer::take_symbol(SelectorToken token, std::size_t bytes) {
  token_ = token;
  position_ += bytes;
}

// The quote itself is written twice.
Status SelectorLexer::take_quoted(char quote, SelectorToken token) {
  for (++position_; position_ < text_.size(); ++position_) {
    if (text_[position_] == quote) {
      ++position_;
      if (position_ == text_.size() || text_[position_] != quote) {
        token_ = token;
        return {};
      }
    }
    value_ += text_[position_];
  }
  return std::unexpected(selector_error(text_, at_, "a quote that is not closed"));
}

Status SelectorLexer::take_number() {
  const auto digits = [&] {
    const std::size_t before = position_;
    while (position_ < text_.size() && is_digit(text_[position_])) value_ += text_[position_++];
    return position_ > before;
  };
  digits();
  if (position_ < text_.size() && text_[position_] == '.') {
    value_ += text_[position_++];
    digits();
  }
  bool good = true;
  if (position_ < text_.size() && (text_[position_] == 'e' || text_[position_] == 'E')) {
    value_ += text_[position_++];
    if (position_ < text_.size() && (text_[position_] == '+' || text_[position_] == '-'))
      value_ += text_[position_++];
    good = digits();
  }
  if (!good || (position_ < text_.size() && continues_name(text_[position_])))
    return std::unexpected(selector_error(text_, at_, "a number that is none"));
  token_ = SelectorToken::number;
  return {};
}

}  // namespace weir::broker
