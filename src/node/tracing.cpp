#include "node/tracing.h"

#include <algorithm>
#include <span>

namespace weir::node {
namespace {

constexpr std::size_t trace_at = 3, span_at = 36, flags_at = 53, version_0_bytes = 55;
constexpr std::string_view digits = "0123456789abcdef";

// Lower case alone, as the specification has it.
bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t high = digits.find(text[2 * i]), low = digits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

void write_hex(std::span<const std::uint8_t> bytes, std::string& out) {
  for (const std::uint8_t byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15U];
  }
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (text.size() < version_0_bytes || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  std::uint8_t version = 0;
  if (!read_hex(text, {&version, 1}) || version == 0xff) return std::nullopt;
  // Later versions may have more behind another dash.
  if (text.size() > version_0_bytes && (version == 0 || text[version_0_bytes] != '-')) return std::nullopt;
  TraceContext context;
  if (!read_hex(text.substr(trace_at), context.trace) || !read_hex(text.substr(span_at), context.span) ||
      !read_hex(text.substr(flags_at), {&context.flags, 1}))
    return std::nullopt;
  if (is_zero(context.trace) || is_zero(context.span)) return std::nullopt;
  return context;
}

std::string traceparent_text(const TraceContext& context) {
  std::string text = "00-";
  write_hex(context.trace, text);
  text += '-';
  write_hex(context.span, text);
  text += '-';
  write_hex({&context.flags, 1}, text);
  return text;
}

}  // namespace weir::node
