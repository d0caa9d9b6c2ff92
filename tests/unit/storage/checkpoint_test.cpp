#include "storage/checkpoint.h"

#include <gtest/gtest.h>

#include <limits>
#include <tuple>

#include "storage/listing.h"

namespace weir::storage {
namespace {

struct Told {
  std::uint32_t queue = 0;
  std::uint64_t next = 0;
  std::vector<std::tuple<std::uint64_t, std::uint64_t, bool, std::uint32_t>> runs;
  bool operator==(const Told&) const = default;
};

std::vector<Told> read_all(CheckpointReader& reader) {
  std::vector<Told> all;
  QueueId queue;
  Seq next;
  while (reader.next_queue(queue, next)) {
    all.push_back({queue.value, next.value, {}});
    for (CheckpointRun run; reader.next_run(run);)
      all.back().runs.emplace_back(run.first.value, run.count, run.redelivered, run.deliveries);
  }
  return all;
}

std::vector<std::byte> small_checkpoint() {
  CheckpointBuilder builder;
  builder.begin_queue(QueueId{7}, Seq{100});
  for (const std::uint64_t seq : {3, 4, 5, 9}) builder.add(Seq{seq}, false, 0);
  builder.add(Seq{10}, true, 0);
  builder.add(Seq{11}, true, 3);
  builder.add(Seq{12}, false, 0, 50);
  builder.add(Seq{62}, false, 0);
  builder.begin_queue(QueueId{8}, Seq{0});
  builder.begin_queue(QueueId{9}, Seq{std::uint64_t{1} << 40});
  builder.add(Seq{(std::uint64_t{1} << 40) - 1}, false, 0);
  return builder.finish({5, Lsn{0x10000}, Lsn{0x24000}, {{Lsn{0}, 65536}, {Lsn{0x8000}, 4096}}});
}

TEST(Checkpoint, tells_what_it_was_told) {
  const std::vector<std::byte> file = small_checkpoint();
  auto reader = CheckpointReader::open(file);
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  EXPECT_EQ(reader->header().generation, 5U);
  EXPECT_EQ(reader->header().from, Lsn{0x10000});
  EXPECT_EQ(reader->header().to, Lsn{0x24000});
  EXPECT_EQ(reader->header().segments, (std::vector<SegmentName>{{Lsn{0}, 65536}, {Lsn{0x8000}, 4096}}));
  const std::uint64_t far = (std::uint64_t{1} << 40) - 1;
  const std::vector<Told> expected{
      {7, 100, {{3, 3, false, 0}, {9, 1, false, 0}, {10, 1, true, 0}, {11, 1, true, 3}, {12, 51, false, 0}}},
      {8, 0, {}},
      {9, far + 1, {{far, 1, false, 0}}}};
  EXPECT_EQ(read_all(*reader), expected);
  EXPECT_TRUE(reader->ok());
}

TEST(Checkpoint, runs_that_nobody_reads_are_passed_over) {
  const std::vector<std::byte> file = small_checkpoint();
  auto reader = CheckpointReader::open(file);
  QueueId queue;
  Seq next;
  std::vector<std::uint32_t> queues;
  while (reader->next_queue(queue, next)) queues.push_back(queue.value);
  EXPECT_EQ(queues, (std::vector<std::uint32_t>{7, 8, 9}));
}

TEST(Checkpoint, ten_million_messages_in_a_row_take_a_few_bytes) {
  CheckpointBuilder builder;
  builder.begin_queue(QueueId{1}, Seq{10'000'000});
  for (std::uint64_t seq = 0; seq < 10'000'000; ++seq) builder.add(Seq{seq}, false, 0);
  EXPECT_LE(builder.finish({}).size(), 100U);
}

TEST(Checkpoint, a_change_of_any_bit_and_any_cut_are_noticed) {
  std::vector<std::byte> file = small_checkpoint();
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(CheckpointReader::open(file).has_value()) << bit;
    file[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(CheckpointReader::open(Bytes(file).first(size)).has_value()) << size;
}

std::vector<ListedMessage> listed(Bytes file, Lsn start) {
  auto reader = ListingReader::open(file, start);
  EXPECT_TRUE(reader.has_value());
  std::vector<ListedMessage> all;
  for (ListedMessage message; reader->next(message);) all.push_back(message);
  return all;
}

bool same(const ListedMessage& a, const ListedMessage& b) {
  return a.queue == b.queue && a.seq == b.seq && a.offset == b.offset && a.bytes == b.bytes &&
         as_text(a.attributes) == as_text(b.attributes);
}

TEST(Listing, tells_what_it_was_told_in_any_order_of_places) {
  const std::vector<ListedMessage> messages{
      {QueueId{1}, Seq{5}, 64, 1088, {}},
      {QueueId{1}, Seq{6}, 1152, 1088, {}},
      {QueueId{1}, Seq{9}, 8256, 48, as_bytes("expires")},
      {QueueId{1}, Seq{std::uint64_t{1} << 50}, 128, 16, {}},
      {QueueId{4'000'000'000}, Seq{0}, file_bytes_limit - 32, 32, {}},
      {QueueId{1}, Seq{10}, 64, 1088, {}},
  };
  ListingBuilder builder;
  for (const ListedMessage& message : messages) builder.add(message);
  EXPECT_EQ(builder.messages(), messages.size());
  const std::vector<std::byte> file = builder.finish(Lsn{0x40000});
  const std::vector<ListedMessage> read = listed(file, Lsn{0x40000});
  ASSERT_EQ(read.size(), messages.size());
  for (std::size_t i = 0; i < read.size(); ++i) EXPECT_TRUE(same(read[i], messages[i])) << i;
  EXPECT_FALSE(ListingReader::open(file, Lsn{0x50000}).has_value()) << "another file's";
  EXPECT_TRUE(listed(builder.finish(Lsn{1}), Lsn{1}).empty()) << "the builder can be used again";
}

TEST(Listing, messages_of_one_queue_in_a_row_take_a_byte_each) {
  ListingBuilder builder;
  for (std::uint64_t i = 0; i < 1000; ++i) builder.add({QueueId{1}, Seq{i}, 64 + i * 1088, 1088, {}});
  EXPECT_LE(builder.finish(Lsn{0}).size(), 1060U);
}

TEST(Listing, a_change_of_any_bit_and_any_cut_are_noticed) {
  ListingBuilder builder;
  builder.add({QueueId{1}, Seq{5}, 64, 1088, {}});
  builder.add({QueueId{2}, Seq{6}, 1152, 48, as_bytes("x")});
  std::vector<std::byte> file = builder.finish(Lsn{0});
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(ListingReader::open(file, Lsn{0}).has_value()) << bit;
    file[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(ListingReader::open(Bytes(file).first(size), Lsn{0}).has_value()) << size;
}

TEST(Varint, comes_back_and_never_reads_past_its_end) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128},
                                    std::uint64_t{1} << 63, std::numeric_limits<std::uint64_t>::max()}) {
    std::vector<std::byte> bytes;
    Writer(bytes).varint(value);
    Reader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.ok() && reader.at_end());
    Reader cut(Bytes(bytes).first(bytes.size() - 1));
    cut.varint();
    EXPECT_FALSE(cut.ok());
  }
  const std::vector<std::byte> endless(11, std::byte{0xff});
  Reader reader(endless);
  reader.varint();
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace weir::storage
