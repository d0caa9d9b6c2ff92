#include "storage/record.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/rng.h"

namespace weir::storage {
namespace {

BatchHeader some_header() {
  BatchHeader header;
  header.flags = batch_ends_file;
  header.lsn = Lsn{0x1234'5000};
  header.durable_lsn = Lsn{0x1234'3000};
  header.bytes = 8192;
  header.records = 17;
  header.incarnation = 3;
  header.group = 4;
  header.term = 5;
  header.index = 6;
  header.crc_records = 0xdeadbeef;
  return header;
}

std::vector<std::byte> encoded(const BatchHeader& header, std::uint32_t salt = 0) {
  std::vector<std::byte> bytes(batch_header_bytes);
  encode_batch_header(header, bytes.data(), salt);
  return bytes;
}

std::vector<std::byte> sealed(std::string_view extension, std::string_view payload) {
  std::vector<std::byte> bytes(record_header_bytes + extension.size() + payload.size());
  std::memcpy(bytes.data() + record_header_bytes, extension.data(), extension.size());
  std::memcpy(bytes.data() + record_header_bytes + extension.size(), payload.data(), payload.size());
  Record record{RecordType::enqueue, 9, QueueId{7}, Seq{42}, as_bytes(extension), as_bytes(payload)};
  seal_record(record, bytes.data());
  return bytes;
}

TEST(BatchHeader, every_field_comes_back) {
  const auto decoded = decode_batch_header(encoded(some_header()));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->flags, batch_ends_file);
  EXPECT_EQ(decoded->lsn, Lsn{0x1234'5000});
  EXPECT_EQ(decoded->durable_lsn, Lsn{0x1234'3000});
  EXPECT_EQ(decoded->bytes, 8192U);
  EXPECT_EQ(decoded->records, 17U);
  EXPECT_EQ(decoded->incarnation, 3U);
  EXPECT_EQ(decoded->group, 4U);
  EXPECT_EQ(decoded->term, 5U);
  EXPECT_EQ(decoded->index, 6U);
  EXPECT_EQ(decoded->crc_records, 0xdeadbeefU);
}

TEST(BatchHeader, begins_with_its_magic_and_version) {
  const std::vector<std::byte> bytes = encoded(some_header());
  EXPECT_EQ(as_text(Bytes(bytes).first(4)), "WJB1");
  EXPECT_EQ(load_le<std::uint16_t>(bytes.data() + 4), batch_version);
}

TEST(BatchHeader, a_change_of_any_bit_is_noticed) {
  std::vector<std::byte> bytes = encoded(some_header());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode_batch_header(bytes).has_value()) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(BatchHeader, is_valid_under_its_own_salt_only) {
  const std::vector<std::byte> bytes = encoded(some_header(), 77);
  EXPECT_TRUE(decode_batch_header(bytes, 77).has_value());
  EXPECT_FALSE(decode_batch_header(bytes, 78).has_value());
  EXPECT_FALSE(decode_batch_header(bytes).has_value());
}

TEST(BatchHeader, impossible_sizes_are_refused_under_a_right_checksum) {
  const std::vector<void (*)(BatchHeader&)> changes{
      [](BatchHeader& h) { h.bytes = 0; },
      [](BatchHeader& h) { h.bytes = 4095; },
      [](BatchHeader& h) { h.bytes = 4097; },
      [](BatchHeader& h) { h.bytes = 512U << 20; },
      [](BatchHeader& h) { h.lsn.value += 1; },
      [](BatchHeader& h) { h.durable_lsn = Lsn{h.lsn.value + 1}; },
      [](BatchHeader& h) { h.durable_lsn.value -= 1; },
      [](BatchHeader& h) { h.records = 100'000; },
      [](BatchHeader& h) { h.lsn = h.durable_lsn = Lsn{UINT64_MAX - 4095}; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    BatchHeader header = some_header();
    changes[i](header);
    EXPECT_FALSE(decode_batch_header(encoded(header)).has_value()) << i;
  }
}

TEST(BatchHeader, a_cut_header_is_refused) {
  const std::vector<std::byte> bytes = encoded(some_header());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_batch_header(Bytes(bytes).first(size)).has_value());
  }
}

TEST(Record, every_part_comes_back) {
  const std::vector<std::byte> bytes = sealed("ext", "payload");
  const auto decoded = decode_record(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->type, RecordType::enqueue);
  EXPECT_EQ(decoded->flags, 9);
  EXPECT_EQ(decoded->queue, QueueId{7});
  EXPECT_EQ(decoded->seq, Seq{42});
  EXPECT_EQ(as_text(decoded->extension), "ext");
  EXPECT_EQ(as_text(decoded->payload), "payload");
}

TEST(Record, is_found_at_the_front_of_more_bytes) {
  std::vector<std::byte> bytes = sealed("", "x");
  const std::size_t span = record_span(bytes);
  EXPECT_EQ(span, 32U);
  bytes.resize(100, std::byte{0xff});
  ASSERT_TRUE(decode_record(bytes).has_value());
  EXPECT_EQ(as_text(parse_record(bytes).payload), "x");
}

TEST(Record, a_change_of_any_bit_is_noticed) {
  std::vector<std::byte> bytes = sealed("ext", "payload");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode_record(bytes).has_value()) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(Record, a_cut_record_is_refused) {
  const std::vector<std::byte> bytes = sealed("ext", "payload");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_record(Bytes(bytes).first(size)).has_value());
  }
}

TEST(Record, the_span_of_an_impossible_header_is_0) {
  std::vector<std::byte> bytes = sealed("ext", "payload");
  const auto span_with_length = [&](std::uint32_t length) {
    store_le(bytes.data() + 4, length);
    return record_span(bytes);
  };
  EXPECT_EQ(span_with_length(34), 48U);
  EXPECT_EQ(span_with_length(0), 0U);
  EXPECT_EQ(span_with_length(26), 0U) << "shorter than its extension";
  EXPECT_EQ(span_with_length(UINT32_MAX), 0U);
  EXPECT_EQ(span_with_length(64U << 20), 0U);
  EXPECT_EQ(record_span(Bytes(bytes).first(23)), 0U);
}

TEST(RecordCrcs, is_the_crc_of_the_crcs_in_order) {
  Rng random(1);
  RecordCrcs crcs;
  std::vector<std::byte> all;
  for (int i = 0; i < 200; ++i) {
    const auto crc = static_cast<std::uint32_t>(random.next());
    crcs.add(crc);
    all.resize(all.size() + 4);
    store_le(all.data() + all.size() - 4, crc);
  }
  EXPECT_EQ(crcs.take(), crc32c(all));
  EXPECT_EQ(crcs.take(), 0U) << "begins again";
}

TEST(Location, packs_into_60_bits_and_back) {
  const Location location(16'383, (256U << 20) - 16, (64U << 20) - 16);
  EXPECT_LT(location.packed(), 1ULL << 60);
  const Location back = Location::from_packed(location.packed());
  EXPECT_EQ(back.slot(), 16'383U);
  EXPECT_EQ(back.offset(), (256U << 20) - 16);
  EXPECT_EQ(back.bytes(), (64U << 20) - 16);
}

}  // namespace
}  // namespace weir::storage
