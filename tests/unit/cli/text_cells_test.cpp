#include "cli/text_cells.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

TEST(TextCells, control_characters_become_escapes) {
  EXPECT_EQ(harmless("a\x1b[31m\n"), "a\\x1b[31m\\x0a");
  EXPECT_EQ(harmless("a\n", "\n"), "a\n");
}

TEST(TextCells, colours_and_continuation_bytes_take_no_cells) {
  EXPECT_EQ(cells_of("äöü"), 3U);
  EXPECT_EQ(cells_of(Paint(true)(Colour::red, "abc")), 3U);
  EXPECT_EQ(cells_of("\x1b[2J"), 4U);  // no colour: it would be shown
}

TEST(TextCells, a_cut_leaves_no_colour_on_and_no_half_character) {
  EXPECT_EQ(clipped("äöü", 2), "äö");
  EXPECT_EQ(clipped("abc", 3), "abc");
  EXPECT_EQ(clipped("\x1b[31mabc\x1b[0m", 2), "\x1b[31mab\x1b[0m");
  EXPECT_EQ(clipped("\x1b[31ma\x1b[0mbc", 2), "\x1b[31ma\x1b[0mb");
}

TEST(TextCells, padding_goes_to_the_asked_side) {
  EXPECT_EQ(left_in("ä", 3), "ä  ");
  EXPECT_EQ(right_in("ä", 3), "  ä");
  EXPECT_EQ(right_in("abcd", 3), "abc");
}

TEST(TextCells, without_colours_text_stays_as_it_is) {
  EXPECT_EQ(Paint(false)(Colour::bold, "x"), "x");
  EXPECT_EQ(Paint(true)(Colour::bold, "x"), "\x1b[1mx\x1b[0m");
}

}  // namespace
}  // namespace weir::cli
