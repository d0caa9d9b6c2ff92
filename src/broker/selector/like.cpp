#include "broker/selector/like.h"

namespace weir::broker {
namespace {

constexpr std::size_t none = std::string_view::npos;

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

std::size_t after_character(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && continues_character(text[at]));
  return at;
}

}  // namespace

std::optional<LikePattern> LikePattern::compile(std::string_view pattern, std::string_view escape) {
  LikePattern made;
  made.parts_.emplace_back();
  while (!pattern.empty()) {
    if (!escape.empty() && pattern.starts_with(escape)) {
      pattern.remove_prefix(escape.size());
      const bool escapes =
          pattern.starts_with('_') || pattern.starts_with('%') || pattern.starts_with(escape);
      if (!escapes) return std::nullopt;
      const std::size_t bytes = after_character(pattern, 0);
      made.parts_.back().bytes += pattern.substr(0, bytes);
      pattern.remove_prefix(bytes);
      continue;
    }
    const char next = pattern.front();
    pattern.remove_prefix(1);
    if (next == '%') {
      made.parts_.emplace_back();
    } else if (next == '_') {
      made.parts_.back().bytes += any_one;
      made.parts_.back().literal = false;
    } else {
      made.parts_.back().bytes += next;
    }
  }
  return made;
}

// Where the part ends that begins there; none: it is not there.
std::size_t LikePattern::match(const Part& part, std::string_view text, std::size_t at) {
  for (const char byte : part.bytes) {
    if (at >= text.size()) return none;
    if (byte == any_one) {
      at = after_character(text, at);
    } else if (text[at++] != byte) {
      return none;
    }
  }
  return at;
}

// Where the part begins that ends at the text's end.
std::size_t LikePattern::match_end(const Part& part, std::string_view text) {
  std::size_t at = text.size();
  for (std::size_t i = part.bytes.size(); i-- > 0;) {
    if (at == 0) return none;
    --at;
    if (part.bytes[i] == any_one) {
      while (at > 0 && continues_character(text[at])) --at;
    } else if (text[at] != part.bytes[i]) {
      return none;
    }
  }
  return at;
}

// Where the first one ends that begins there or later.
std::size_t LikePattern::find(const Part& part, std::string_view text, std::size_t from) {
  if (part.literal) {
    const std::size_t at = text.find(part.bytes, from);
    return at == none ? none : at + part.bytes.size();
  }
  for (std::size_t at = from; at < text.size(); at = after_character(text, at)) {
    if (const std::size_t end = match(part, text, at); end != none) return end;
  }
  return none;
}

std::optional<bool> LikePattern::matches(std::string_view text) const {
  if (parts_.size() == 1) return match(parts_.front(), text, 0) == text.size();
  std::size_t at = match(parts_.front(), text, 0);
  if (at == none) return false;
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    if (!parts_[i].literal && text.size() > like_tried_bytes_max) return std::nullopt;
    at = find(parts_[i], text, at);
    if (at == none) return false;
  }
  const std::size_t last = match_end(parts_.back(), text);
  return last != none && last >= at;
}

}  // namespace weir::broker
