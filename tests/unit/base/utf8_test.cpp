#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(Utf8, ascii_and_every_length_of_sequence_are_valid) {
  for (const std::string_view text :
       {"", "a", "orders.eu", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "gr\xc3\xbc\xc3\x9f"
        "e, 8 bytes and more"}) {
    EXPECT_TRUE(valid_utf8(text)) << text;
    EXPECT_TRUE(valid_utf8(std::string(8, 'x') + std::string(text)));
  }
}

TEST(Utf8, overlong_forms_surrogates_and_values_past_the_end_are_not) {
  for (const std::string_view text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff"}) {
    EXPECT_FALSE(valid_utf8(text)) << text;
    EXPECT_FALSE(valid_utf8(std::string(text) + std::string(8, 'x')));
  }
}

TEST(Utf8, a_sequence_cut_off_or_interrupted_is_not) {
  for (const std::string_view text :
       {"\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xe2(\xac", "\xf0\x9f(\x80"}) {
    EXPECT_FALSE(valid_utf8(text)) << text;
    EXPECT_FALSE(valid_utf8("12345678" + std::string(text)));
  }
}

TEST(Utf8, text_may_be_cut_anywhere_between_its_pieces) {
  const std::string text = "a\xc2\x80\xe2\x82\xac\xf0\x9f\x98\x80z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Check check;
    EXPECT_TRUE(check.take(as_bytes(text).first(cut)));
    EXPECT_EQ(check.whole(), valid_utf8(text.substr(0, cut))) << cut;
    EXPECT_TRUE(check.take(as_bytes(text).subspan(cut)));
    EXPECT_TRUE(check.whole());
  }
  Utf8Check bad;
  EXPECT_TRUE(bad.take(as_bytes("\xe0")));
  EXPECT_FALSE(bad.take(as_bytes("\x80\x80")));
  EXPECT_FALSE(bad.take(as_bytes("a")));
  EXPECT_FALSE(bad.whole());
}

}  // namespace
}  // namespace weir
