#include "protocol/stomp/codec/stored_headers.h"

#include <algorithm>
#include <array>

#include "protocol/stomp/codec/escape.h"

namespace weir::stomp {

bool is_for_broker(std::string_view name) {
  static constexpr std::array<std::string_view, 6> names{"destination",    "receipt",    "transaction",
                                                         "content-length", "message-id", "subscription"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

void append_header(std::string& out, std::string_view name, std::string_view value, Version version) {
  append_escaped(out, name, version);
  out += ':';
  append_escaped(out, value, version);
  out += '\n';
}

void append_stored(std::string& out, std::string_view name, std::string_view value) {
  append_header(out, name, value, Version::v1_2);
}

void append_stored(std::string& out, const Headers& headers) {
  for (const Header& header : headers.all()) {
    if (is_for_broker(header.name)) continue;
    const bool as_it_is = headers.version() == Version::v1_2 && headers.escaped();
    if (as_it_is) {
      out += header.name;
      out += ':';
      out += header.value;
      out += '\n';
    } else {
      append_stored(out, headers.plain(header.name), headers.plain(header.value));
    }
  }
}

namespace {

template <typename Each>
void each_line(std::string_view stored, Each&& each) {
  while (!stored.empty()) {
    const std::size_t end = stored.find('\n');
    const std::string_view line = stored.substr(0, end);
    stored.remove_prefix(end == std::string_view::npos ? stored.size() : end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    if (!each(line.substr(0, colon), line.substr(colon + 1))) return;
  }
}

std::string plain(std::string_view text) {
  if (!has_escapes(text)) return std::string(text);
  return unescape(text, Version::v1_2).value_or(std::string(text));
}

}  // namespace

void for_each_stored(std::string_view stored,
                     const std::function<void(std::string_view, std::string_view)>& each) {
  each_line(stored, [&](std::string_view name, std::string_view value) {
    each(plain(name), plain(value));
    return true;
  });
}

std::optional<std::string> find_stored(std::string_view stored, std::string_view name) {
  std::optional<std::string> found;
  each_line(stored, [&](std::string_view its_name, std::string_view value) {
    if (its_name == name || (has_escapes(its_name) && plain(its_name) == name)) found = plain(value);
    return !found;
  });
  return found;
}

void append_lines(std::string& out, std::string_view stored, Version version) {
  if (version == Version::v1_2) {
    out += stored;
    return;
  }
  each_line(stored, [&](std::string_view name, std::string_view value) {
    append_header(out, plain(name), plain(value), version);
    return true;
  });
}

}  // namespace weir::stomp
