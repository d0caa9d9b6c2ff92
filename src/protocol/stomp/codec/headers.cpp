#include "protocol/stomp/codec/headers.h"

#include "protocol/stomp/codec/escape.h"

namespace weir::stomp {

bool Headers::parse(std::string_view text, Version version, bool escaped, std::size_t most) {
  headers_.clear();
  unescaped_.clear();
  version_ = version;
  escaped_ = escaped && version != Version::v1_0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || headers_.size() == most) return false;
    Header header{line.substr(0, colon), line.substr(colon + 1)};
    // The examples of 1.0 have a space there.
    if (version == Version::v1_0 && header.value.starts_with(' ')) header.value.remove_prefix(1);
    if (escaped_ && has_escapes(line)) {
      if (!unescape(header.name, version) || !unescape(header.value, version)) return false;
    }
    headers_.push_back(header);
  }
  return true;
}

std::string Headers::plain(std::string_view text) const {
  if (!escaped_ || !has_escapes(text)) return std::string(text);
  return unescape(text, version_).value_or(std::string());
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& header : headers_) {
    const bool same = escaped_ && has_escapes(header.name) ? plain(header.name) == name : header.name == name;
    if (!same) continue;
    if (!escaped_ || !has_escapes(header.value)) return header.value;
    unescaped_.reserve(headers_.size());  // so that views stay: one for each header at most
    for (const std::string& known : unescaped_) {
      if (plain(header.value) == known) return known;
    }
    unescaped_.push_back(plain(header.value));
    return unescaped_.back();
  }
  return std::nullopt;
}

std::optional<bool> Headers::flag(std::string_view name, bool otherwise) const {
  const auto value = find(name);
  if (!value) return otherwise;
  if (*value == "true") return true;
  if (*value == "false") return false;
  return std::nullopt;
}

}  // namespace weir::stomp
