#include "protocol/amqp091/codec/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::amqp091 {
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

}  // namespace
}  // namespace weir::amqp091
