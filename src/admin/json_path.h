// What it is: a condition on a JSON document, in a small part of JSONPath:
//
//   $.customer.id == 42        $.items[*].sku == "A-1"       $['odd name'][0].*         $.note ~ "urgent"
//
// A path begins with `$` and goes on by `.name`, `['name']` or `["name"]`, `[0]`, `[-1]` (from the end), `[*]` or `.*` (every
// element or member). Behind it may be one of == != < <= > >= ~ and a JSON scalar; `~` asks whether a text has another one in
// it. It holds if some value at the path fits; without a comparison, if there is a value at the path. Values of different
// types are never equal and never in order; numbers are compared as numbers, texts byte by byte.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::admin {

inline constexpr std::size_t json_condition_bytes_max = 1'024;
inline constexpr std::size_t json_path_steps_max = 32;

class JsonCondition {
 public:
  // invalid_argument, with what is wrong and where.
  static Result<JsonCondition> parse(std::string_view text);
  bool holds(const boost::json::value& document) const { return holds_at(document, 0); }

 private:
  struct Step {
    enum class Kind : std::uint8_t { name, index, every } kind = Kind::every;
    std::string name;
    std::int64_t index = 0;
  };
  enum class Compare : std::uint8_t {
    exists,
    equal,
    different,
    less,
    less_or_equal,
    greater,
    greater_or_equal,
    has
  };
  class Parser;

  bool holds_at(const boost::json::value& value, std::size_t step) const;
  bool fits(const boost::json::value& value) const;

  std::vector<Step> steps_;
  Compare compare_ = Compare::exists;
  boost::json::value operand_;
};

}  // namespace weir::admin
