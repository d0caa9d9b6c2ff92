// Topics and filters: what is said of any two texts agrees with the rules of 4.7 as they are written, level by level.
// The two are the halves in front of and behind the first line's end.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "protocol/mqtt/codec/topic.h"
#include "protocol/mqtt/codec/utf8.h"

namespace {

using namespace weir::mqtt;

std::vector<std::string> levels_of(std::string_view text) {
  std::vector<std::string> levels(1);
  for (const char c : text) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

bool plainly_a_filter(std::string_view text) {
  if (text.empty() || text.size() > topic_bytes_max) return false;
  const auto levels = levels_of(text);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::string& level = levels[i];
    if (level == "+" || (level == "#" && i + 1 == levels.size())) continue;
    if (level.find('+') != std::string::npos || level.find('#') != std::string::npos) return false;
  }
  return true;
}

bool plainly_matches(std::string_view filter, std::string_view topic) {
  const auto wanted = levels_of(filter), levels = levels_of(topic);
  const bool wildcard_first = wanted[0] == "+" || wanted[0] == "#";
  if (wildcard_first && topic[0] == '$') return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return levels.size() >= i;
    if (i == levels.size()) return false;
    if (wanted[i] != "+" && wanted[i] != levels[i]) return false;
  }
  return wanted.size() == levels.size();
}

bool plainly_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t more = first < 0x80 ? 0 : first < 0xC0 ? 9 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if (first >= 0xF8 || more == 9 || text.size() - at <= more) return false;
    std::uint32_t value = more == 0 ? first : first & (0x3FU >> more);
    for (std::size_t i = 1; i <= more; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xC0U) != 0x80) return false;
      value = value << 6U | (next & 0x3FU);
    }
    constexpr std::uint32_t least[] = {1, 0x80, 0x800, 0x10000};
    if (value < least[more] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return false;
    at += more + 1;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  WEIR_ASSERT(valid_utf8(input) == plainly_utf8(input));
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view filter = input.substr(0, line), topic = input.substr(line + 1);
  WEIR_ASSERT(is_topic_filter(filter) == plainly_a_filter(filter));
  WEIR_ASSERT(is_topic_filter(topic) || !is_topic_name(topic));
  WEIR_ASSERT(topic_of(routing_key_of(topic)) == topic);
  if (is_shared(filter)) {
    const auto levels = levels_of(filter);
    const bool group = !levels[1].empty() && !has_wildcards(levels[1]) && levels.size() > 2;
    const auto shared = shared_filter(filter);
    WEIR_ASSERT(shared.has_value() ==
                (group && plainly_a_filter(filter.substr(shared_prefix.size() + levels[1].size() + 1))));
    WEIR_ASSERT(!shared || shared->group == levels[1]);
  }
  if (!is_topic_filter(filter) || !is_topic_name(topic)) return 0;
  WEIR_ASSERT(binding_key_of(filter).size() == filter.size());
  WEIR_ASSERT(matches(filter, topic) == plainly_matches(filter, topic));
  return 0;
}
