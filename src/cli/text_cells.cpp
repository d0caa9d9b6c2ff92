#include "cli/text_cells.h"

#include <fmt/format.h>

namespace weir::cli {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The length of the colour that `text` begins with; 0: it begins with something else.
std::size_t colour_bytes(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::bold: return "1";
    case Colour::dim: return "2";
    case Colour::red: return "31";
    case Colour::green: return "32";
    case Colour::yellow: return "33";
    case Colour::cyan: return "36";
    case Colour::reverse: return "7";
  }
  return "0";
}

}  // namespace

std::string harmless(std::string_view text, std::string_view but) {
  std::string out;
  for (const char c : text) {
    const bool control = (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) && but.find(c) == but.npos;
    out += control ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::size_t cells_of(std::string_view text) {
  std::size_t cells = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t colour = colour_bytes(text.substr(at));
    if (colour == 0 && !continues(text[at])) ++cells;
    at += colour > 0 ? colour : 1;
  }
  return cells;
}

std::string clipped(std::string_view text, std::size_t cells) {
  std::string out;
  bool coloured = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t colour = colour_bytes(text.substr(at));
    if (colour == 0 && !continues(text[at]) && cells-- == 0) {
      if (coloured) out += "\x1b[0m";
      return out;
    }
    const std::string_view taken = text.substr(at, colour > 0 ? colour : 1);
    if (colour > 0) coloured = taken != "\x1b[0m";
    out += taken;
    at += taken.size();
  }
  return out;
}

std::string left_in(std::string_view text, std::size_t cells) {
  const std::size_t wide = cells_of(text);
  return wide > cells ? clipped(text, cells) : std::string(text) + std::string(cells - wide, ' ');
}

std::string right_in(std::string_view text, std::size_t cells) {
  const std::size_t wide = cells_of(text);
  return wide > cells ? clipped(text, cells) : std::string(cells - wide, ' ') + std::string(text);
}

std::string Paint::operator()(Colour colour, std::string_view text) const {
  return on_ ? fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text) : std::string(text);
}

}  // namespace weir::cli
