#include "storage/salvage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::storage {
namespace {

// A batch in memory; records can be damaged by their number.
class Batch {
 public:
  explicit Batch(std::size_t records = 10, std::uint64_t first_seq = 1) {
    bytes.resize(batch_header_bytes);
    RecordCrcs crcs;
    for (std::size_t i = 0; i < records; ++i) {
      const std::string payload(100 + i, 'p');
      offsets.push_back(bytes.size());
      bytes.resize(bytes.size() + record_span_of(0, payload.size()));
      std::byte* at = bytes.data() + offsets.back();
      std::memcpy(at + record_header_bytes, payload.data(), payload.size());
      Record record{
          i % 2 == 0 ? RecordType::enqueue : RecordType::meta, 0, QueueId{1}, Seq{first_seq + i}, {}, {}};
      record.payload = Bytes(at + record_header_bytes, payload.size());
      crcs.add(seal_record(record, at));
    }
    bytes.resize(align_up(bytes.size(), batch_alignment));
    header.lsn = Lsn{4096};
    header.bytes = static_cast<std::uint32_t>(bytes.size());
    header.records = static_cast<std::uint32_t>(records);
    header.crc_records = crcs.take();
    encode_batch_header(header, bytes.data(), salt);
  }
  void flip(std::size_t record, std::size_t byte) { bytes[offsets[record] + byte] ^= std::byte{0x10}; }
  std::vector<std::size_t> offsets_but(const std::vector<std::size_t>& missing) const {
    std::vector<std::size_t> result = offsets;
    for (const std::size_t record : missing) std::erase(result, offsets[record]);
    return result;
  }

  static constexpr std::uint32_t salt = 5;
  BatchHeader header;
  std::vector<std::byte> bytes;
  std::vector<std::size_t> offsets;
};

TEST(Salvage, one_damaged_record_leaves_all_others_proven) {
  for (const std::size_t byte : {0U, 4U, 6U, 7U, 8U, 12U, 16U, 23U, 24U, 90U}) {
    for (std::size_t record = 0; record < 10; ++record) {
      Batch batch;
      batch.flip(record, byte);
      const Salvage salvage = salvage_batch(batch.header, batch.bytes);
      EXPECT_TRUE(salvage.proven) << byte << " " << record;
      EXPECT_EQ(salvage.offsets, batch.offsets_but({record}));
    }
  }
}

TEST(Salvage, several_damaged_payloads_leave_the_others_proven) {
  Batch batch;
  batch.flip(2, 50);
  batch.flip(3, 60);
  batch.flip(9, 70);
  const Salvage salvage = salvage_batch(batch.header, batch.bytes);
  EXPECT_TRUE(salvage.proven);
  EXPECT_EQ(salvage.offsets, batch.offsets_but({2, 3, 9}));
}

TEST(Salvage, good_records_of_an_older_batch_prove_nothing_and_only_messages_are_taken) {
  Batch batch(10, 100);
  const Batch older(10, 1);
  // The disk lost the writes of two records: it shows what was there before.
  for (const std::size_t record : {4U, 5U}) {
    std::copy_n(older.bytes.begin() + static_cast<std::ptrdiff_t>(older.offsets[record]),
                record_span_of(0, 100 + record),
                batch.bytes.begin() + static_cast<std::ptrdiff_t>(batch.offsets[record]));
  }
  const Salvage salvage = salvage_batch(batch.header, batch.bytes);
  EXPECT_FALSE(salvage.proven);
  EXPECT_EQ(salvage.offsets, batch.offsets_but({1, 3, 5, 7, 9}));
}

TEST(Salvage, what_was_searched_for_is_not_taken_unproven) {
  Batch batch;
  batch.flip(2, 5);  // its length leads nowhere: the next record must be searched
  batch.flip(6, 0);  // and a checksum is gone too
  const Salvage salvage = salvage_batch(batch.header, batch.bytes);
  EXPECT_FALSE(salvage.proven);
  EXPECT_EQ(salvage.offsets, (std::vector<std::size_t>{batch.offsets[0]}));
}

TEST(Salvage, without_a_header_the_chain_of_good_records_is_followed_and_only_messages_are_taken) {
  Batch batch;
  batch.flip(7, 60);
  const Salvage salvage = salvage_headless(batch.bytes);
  EXPECT_FALSE(salvage.proven);
  EXPECT_EQ(salvage.offsets, batch.offsets_but({1, 3, 5, 7, 8, 9}));
}

TEST(Salvage, a_header_with_one_wrong_bit_is_repaired) {
  const Batch batch;
  for (std::size_t bit = 0; bit < batch_header_bytes * 8; ++bit) {
    std::vector<std::byte> bytes = batch.bytes;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto repaired = repair_batch_header(bytes, Batch::salt, batch.header.lsn);
    ASSERT_TRUE(repaired.has_value()) << bit;
    EXPECT_EQ(repaired->crc_records, batch.header.crc_records);
    EXPECT_EQ(repaired->records, batch.header.records);
  }
}

TEST(Salvage, a_header_of_another_place_is_not_repaired_into_this_one) {
  Batch batch;
  batch.bytes[20] ^= std::byte{1};
  EXPECT_FALSE(repair_batch_header(batch.bytes, Batch::salt, Lsn{8192}).has_value());
  EXPECT_FALSE(repair_batch_header(batch.bytes, Batch::salt + 1, batch.header.lsn).has_value());
  EXPECT_FALSE(repair_batch_header(Bytes(batch.bytes).first(63), Batch::salt, batch.header.lsn).has_value());
}

TEST(Salvage, a_body_full_of_record_headers_does_not_take_for_ever) {
  constexpr std::size_t size = 8U << 20;
  std::vector<std::byte> bytes(size);
  for (std::size_t at = batch_header_bytes; at + 16 <= size; at += 16) {
    store_le(bytes.data() + at + 4, static_cast<std::uint32_t>(size - at));
  }
  BatchHeader header;
  header.bytes = size;
  header.records = 2;
  const Salvage salvage = salvage_batch(header, bytes);
  EXPECT_TRUE(salvage.offsets.empty());
}

}  // namespace
}  // namespace weir::storage
