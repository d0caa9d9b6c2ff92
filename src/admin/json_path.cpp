#include "admin/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <compare>
#include <optional>
#include <utility>

namespace weir::admin {

namespace json = boost::json;

class JsonCondition::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<JsonCondition> parse() {
    JsonCondition parsed;
    if (text_.size() > json_condition_bytes_max) return wrong("it is too long");
    skip_spaces();
    if (!take('$')) return wrong("a path begins with '$'");
    while (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == '[')) {
      if (parsed.steps_.size() == json_path_steps_max) return wrong("the path is too long");
      Step step;
      if (!(take('.') ? read_member(step) : read_bracket(step))) return wrong(fault_);
      parsed.steps_.push_back(std::move(step));
    }
    skip_spaces();
    if (at_ == text_.size()) return parsed;
    if (!read_comparison(parsed)) return wrong("a comparison is one of == != < <= > >= ~");
    skip_spaces();
    json::error_code error;
    parsed.operand_ = json::parse(text_.substr(at_), error);
    if (error || parsed.operand_.is_structured()) return wrong("what it is compared with is no JSON scalar");
    if (parsed.compare_ == Compare::has && !parsed.operand_.is_string())
      return wrong("what is looked for by '~' is a text");
    return parsed;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorCode::invalid_argument,
                fmt::format("JSON condition, at byte {}: {}", std::min(at_, text_.size()), what));
  }
  bool take(char wanted) {
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (take(' ')) {
    }
  }
  static bool is_of_name(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || byte >= 0x80;
  }
  bool read_member(Step& step) {
    if (take('*')) return true;
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
    step.kind = Step::Kind::name;
    step.name = text_.substr(begin, at_ - begin);
    fault_ = "a name is missing";
    return !step.name.empty();
  }
  bool read_bracket(Step& step) {
    take('[');
    fault_ = "in brackets is a number, a quoted name, or *";
    if (take('*')) return take(']');
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return read_quoted(step);
    step.kind = Step::Kind::index;
    const char* const end = text_.data() + text_.size();
    const auto [after, error] = std::from_chars(text_.data() + at_, end, step.index);
    if (error != std::errc()) return false;
    at_ = static_cast<std::size_t>(after - text_.data());
    return take(']');
  }
  bool read_quoted(Step& step) {
    const char quote = text_[at_++];
    step.kind = Step::Kind::name;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') ++at_;  // what follows stands for itself
      if (at_ < text_.size()) step.name += text_[at_++];
    }
    fault_ = "a quoted name has no end";
    return take(quote) && take(']');
  }
  bool read_comparison(JsonCondition& parsed) {
    constexpr std::pair<std::string_view, Compare> all[] = {{"==", Compare::equal},
                                                            {"!=", Compare::different},
                                                            {"<=", Compare::less_or_equal},
                                                            {">=", Compare::greater_or_equal},
                                                            {"<", Compare::less},
                                                            {">", Compare::greater},
                                                            {"~", Compare::has}};
    for (const auto& [sign, compare] : all) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      at_ += sign.size();
      parsed.compare_ = compare;
      return true;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view fault_;
};

Result<JsonCondition> JsonCondition::parse(std::string_view text) { return Parser(text).parse(); }

bool JsonCondition::holds_at(const json::value& value, std::size_t at) const {
  if (at == steps_.size()) return fits(value);
  const Step& step = steps_[at];
  const json::object* const object = value.if_object();
  const json::array* const array = value.if_array();
  switch (step.kind) {
    case Step::Kind::name: {
      const json::value* const member = object == nullptr ? nullptr : object->if_contains(step.name);
      return member != nullptr && holds_at(*member, at + 1);
    }
    case Step::Kind::index: {
      if (array == nullptr) return false;
      const auto size = static_cast<std::int64_t>(array->size());
      const std::int64_t index = step.index < 0 ? size + step.index : step.index;
      return index >= 0 && index < size && holds_at((*array)[static_cast<std::size_t>(index)], at + 1);
    }
    case Step::Kind::every: break;
  }
  const auto below = [&](const json::value& one) { return holds_at(one, at + 1); };
  if (array != nullptr) return std::any_of(array->begin(), array->end(), below);
  return object != nullptr && std::any_of(object->begin(), object->end(),
                                          [&](const auto& member) { return below(member.value()); });
}

namespace {

std::partial_ordering order_of(const json::value& a, const json::value& b) {
  if (a.is_string() && b.is_string()) {
    const int order = a.get_string().compare(b.get_string());
    return order < 0   ? std::partial_ordering::less
           : order > 0 ? std::partial_ordering::greater
                       : std::partial_ordering::equivalent;
  }
  if (a.is_number() && b.is_number()) {
    if (a == b) return std::partial_ordering::equivalent;  // integers as such
    if (a.is_int64() && b.is_int64()) return a.get_int64() <=> b.get_int64();
    return a.to_number<double>() <=> b.to_number<double>();
  }
  return a == b ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
}

}  // namespace

bool JsonCondition::fits(const json::value& value) const {
  if (compare_ == Compare::exists) return true;
  if (compare_ == Compare::has) {
    if (!value.is_string()) return false;
    const std::string_view text = value.get_string(), part = operand_.get_string();
    return text.find(part) != std::string_view::npos;
  }
  const std::partial_ordering order = order_of(value, operand_);
  switch (compare_) {
    case Compare::equal: return order == std::partial_ordering::equivalent;
    case Compare::different: return order != std::partial_ordering::equivalent;
    case Compare::less: return order == std::partial_ordering::less;
    case Compare::greater: return order == std::partial_ordering::greater;
    case Compare::less_or_equal: return std::is_lteq(order);
    case Compare::greater_or_equal: return std::is_gteq(order);
    case Compare::exists:
    case Compare::has: break;
  }
  return false;
}

}  // namespace weir::admin
