#include "protocol/stomp/codec/escape.h"

namespace weir::stomp {

std::optional<std::string> unescape(std::string_view text, Version version) {
  std::string out;
  if (version == Version::v1_0) return out.assign(text);
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    switch (text[at]) {
      case 'n': out += '\n'; break;
      case 'c': out += ':'; break;
      case '\\': out += '\\'; break;
      case 'r':
        if (version != Version::v1_2) return std::nullopt;
        out += '\r';
        break;
      default: return std::nullopt;
    }
  }
  return out;
}

void append_escaped(std::string& out, std::string_view text, Version version) {
  const std::string_view special = version == Version::v1_2   ? "\n:\\\r"
                                   : version == Version::v1_1 ? "\n:\\"
                                                              : "\n\r";
  for (;;) {
    const std::size_t at = text.find_first_of(special);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return;
    if (version == Version::v1_0) {
      out += ' ';
    } else {
      out += '\\';
      out += text[at] == '\n' ? 'n' : text[at] == ':' ? 'c' : text[at] == '\r' ? 'r' : '\\';
    }
    text.remove_prefix(at + 1);
  }
}

}  // namespace weir::stomp
