// What it is: from a selector's text to the program that works it out. Private to it.
//
//   condition := conjunction {OR conjunction}
//   conjunction := negation {AND negation}
//   negation := NOT negation | predicate
//   predicate := sum [(= | <> | < | <= | > | >=) sum | IS [NOT] NULL | [NOT] BETWEEN sum AND sum |
//                     [NOT] LIKE text [ESCAPE text] | [NOT] IN ( literal {, literal} )]
//   sum := product {(+ | -) product}        product := sign {(* | /) sign}        sign := (+ | -) sign | value
//   value := number | text | TRUE | FALSE | name | ( condition )
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "broker/selector/lexer.h"
#include "broker/selector/selector.h"

namespace weir::broker {

class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_(text), lexer_(text) {}

  Result<Selector::Program> parse();

 private:
  // What is known of a value before there is a message.
  enum class Type : std::uint8_t { name, number, text, truth };
  using Typed = std::optional<Type>;  // nullopt: error_ says why

  Typed condition();
  Typed conjunction();
  Typed negation();
  Typed predicate();
  Typed comparison(Type left, std::size_t at, Selector::Op op);
  Typed null_test(Type left, std::size_t at);
  Typed between(Type left, std::size_t at);
  Typed like(Type left, std::size_t at);
  Typed in(Type left, std::size_t at);
  bool in_member();
  Typed sum();
  Typed product();
  Typed sign();
  Typed value();
  Typed named();

  bool advance();
  bool expect(SelectorToken token, std::string_view what);
  bool is_word(std::string_view word) const;
  bool enter();
  void leave() { --nesting_; }
  bool need_truth(Typed type, std::size_t at);
  bool need_number(Typed type, std::size_t at);
  bool push(Selector::Op op, std::uint16_t index);
  void apply(Selector::Op op, std::size_t takes, std::uint16_t index = 0, std::uint16_t count = 0);
  std::uint16_t add_text(std::string_view text);
  std::optional<std::uint16_t> add_number(bool negative);
  std::nullopt_t fault(std::size_t at, std::string_view what);

  std::string_view text_;
  SelectorLexer lexer_;
  Selector::Program program_;
  std::size_t nesting_ = 0, height_ = 0;
  std::optional<Error> error_;
};

}  // namespace weir::broker
