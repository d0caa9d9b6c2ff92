// What it is: text as a terminal shows it: how many cells it takes, what would do something to the terminal made harmless,
// cut and padded to a width. Colours in it (CSI … m) take no cells. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::cli {

// Control characters as \x1b, but those in `but`.
std::string harmless(std::string_view text, std::string_view but = "");
// Of UTF-8: code points, which is right for all but wide and combining ones.
std::size_t cells_of(std::string_view text);
// At most so many cells; what is cut off leaves no colour on.
std::string clipped(std::string_view text, std::size_t cells);
std::string left_in(std::string_view text, std::size_t cells);   // padded behind, or cut
std::string right_in(std::string_view text, std::size_t cells);  // padded before, or cut

enum class Colour : std::uint8_t { bold, dim, red, green, yellow, cyan, reverse };

// Gives colours, where they are wanted.
class Paint {
 public:
  explicit Paint(bool on = false) : on_(on) {}
  std::string operator()(Colour colour, std::string_view text) const;
  bool on() const { return on_; }

 private:
  bool on_;
};

}  // namespace weir::cli
