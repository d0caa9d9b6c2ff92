// What it is: the words of a selector. Private to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::broker {

enum class SelectorToken : std::uint8_t {
  end,
  name,         // a property, or a word of the language
  quoted_name,  // a property
  text,
  number,
  open,
  close,
  comma,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  plus,
  minus,
  times,
  divided,
};

class SelectorLexer {
 public:
  explicit SelectorLexer(std::string_view text) : text_(text) {}

  // invalid_argument. Then there is nothing more.
  Status next();

  SelectorToken token() const { return token_; }
  std::size_t at() const { return at_; }               // where it begins
  const std::string& value() const { return value_; }  // of names, texts and numbers, without quotes

 private:
  Status take_quoted(char quote, SelectorToken token);
  Status take_number();
  void take_symbol(SelectorToken token, std::size_t bytes);

  std::string_view text_;
  std::size_t position_ = 0, at_ = 0;
  SelectorToken token_ = SelectorToken::end;
  std::string value_;
};

// The error of a selector; `at` is a byte of its text, counted from 0.
Error selector_error(std::string_view text, std::size_t at, std::string_view what);

}  // namespace weir::broker
