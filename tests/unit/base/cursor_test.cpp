#include "base/cursor.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(Reader, reads_what_a_writer_wrote) {
  std::vector<std::byte> out;
  Writer writer(out);
  writer.u8(7);
  writer.be<std::uint16_t>(0x0102);
  writer.be<std::uint32_t>(0x01020304);
  writer.be<std::uint64_t>(0x0102030405060708);
  writer.le<std::uint32_t>(0xcafebabe);
  writer.text8("short");
  writer.text32_be("long");
  writer.bytes32_be({});
  writer.text("raw");
  EXPECT_EQ(writer.size(), out.size());

  Reader reader(out);
  EXPECT_EQ(reader.u8(), 7);
  EXPECT_EQ(reader.be<std::uint16_t>(), 0x0102);
  EXPECT_EQ(reader.be<std::uint32_t>(), 0x01020304U);
  EXPECT_EQ(reader.be<std::uint64_t>(), 0x0102030405060708U);
  EXPECT_EQ(reader.le<std::uint32_t>(), 0xcafebabeU);
  EXPECT_EQ(reader.text8(), "short");
  EXPECT_EQ(as_text(reader.bytes32_be()), "long");
  EXPECT_TRUE(reader.bytes32_be().empty());
  EXPECT_EQ(as_text(reader.bytes(3)), "raw");
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

TEST(Reader, gives_views_of_its_input_and_no_copies) {
  const std::string input = "abcdef";
  Reader reader(as_bytes(input));
  (void)reader.u8();
  EXPECT_EQ(static_cast<const void*>(reader.position()), input.data() + 1);
  EXPECT_EQ(static_cast<const void*>(reader.bytes(2).data()), input.data() + 1);
  EXPECT_EQ(reader.left(), 3U);
}

TEST(Reader, goes_bad_when_an_integer_is_cut_off_at_any_byte) {
  const std::vector<std::byte> bytes(8, std::byte{0xff});
  for (std::size_t size = 0; size < 8; ++size) {
    Reader big(Bytes(bytes).first(size));
    EXPECT_EQ(big.be<std::uint64_t>(), 0U);
    EXPECT_FALSE(big.ok()) << size;
    EXPECT_TRUE(big.at_end());
    Reader little(Bytes(bytes).first(size));
    EXPECT_EQ(little.le<std::uint64_t>(), 0U);
    EXPECT_FALSE(little.ok()) << size;
  }
}

TEST(Reader, stays_bad_and_reads_zeros_after_the_first_failure) {
  const std::string input = "\x01\x02\x03";
  Reader reader(as_bytes(input));
  EXPECT_EQ(reader.be<std::uint32_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.text8(), "");
  EXPECT_TRUE(reader.bytes(0).empty());
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.left(), 0U);
}

TEST(Reader, refuses_a_length_that_is_longer_than_what_is_left) {
  Reader short_text(as_bytes(std::string_view("\x05pear", 5)));
  EXPECT_EQ(short_text.text8(), "");
  EXPECT_FALSE(short_text.ok());

  Reader long_text(
      as_bytes(std::string_view("\xff\xff\xff\xff"
                                "data",
                                8)));
  EXPECT_TRUE(long_text.bytes32_be().empty());
  EXPECT_FALSE(long_text.ok());

  Reader raw(as_bytes("data"));
  EXPECT_TRUE(raw.bytes(static_cast<std::size_t>(-1)).empty());
  EXPECT_FALSE(raw.ok());
}

TEST(Reader, takes_exactly_what_is_left) {
  Reader reader(as_bytes(std::string_view("\x04pear", 5)));
  EXPECT_EQ(reader.text8(), "pear");
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(reader.bytes(0).empty());
  EXPECT_TRUE(reader.ok());
}

TEST(Reader, of_nothing_is_good_until_it_is_asked_for_something) {
  Reader reader(Bytes{});
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(Writer, appends_to_what_the_vector_holds) {
  std::vector<std::byte> out(3, std::byte{0xee});
  Writer writer(out);
  writer.be<std::uint16_t>(0x0102);
  ASSERT_EQ(out.size(), 5U);
  EXPECT_EQ(out[2], std::byte{0xee});
  EXPECT_EQ(out[3], std::byte{1});
}

TEST(Writer, patches_a_length_in_its_place_and_leaves_the_rest) {
  std::vector<std::byte> out;
  Writer writer(out);
  writer.u8(1);
  const std::size_t at = writer.size();
  writer.be<std::uint32_t>(0);
  writer.text("payload");
  writer.patch_be<std::uint32_t>(at, 7);

  Reader reader(out);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(as_text(reader.bytes32_be()), "payload");
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST(Writer, a_short_string_holds_255_bytes) {
  std::vector<std::byte> out;
  Writer writer(out);
  const std::string longest(255, 'x');
  writer.text8(longest);
  Reader reader(out);
  EXPECT_EQ(reader.text8(), longest);
  EXPECT_TRUE(reader.at_end());
}

TEST(Writer, reuses_the_memory_of_a_vector_that_has_grown) {
  std::vector<std::byte> out;
  Writer(out).text(std::string(1000, 'x'));
  const std::byte* before = out.data();
  out.clear();
  Writer(out).text(std::string(1000, 'y'));
  EXPECT_EQ(out.data(), before);
}

}  // namespace
}  // namespace weir
