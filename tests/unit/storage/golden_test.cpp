// The formats as they were written once (tests/golden): what this version writes is the same to the bit, and it reads
// them. With WEIR_UPDATE_GOLDEN set the files are written anew: only for a new version of a format, beside the old ones.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "storage/checkpoint.h"
#include "storage/data_directory.h"
#include "storage/listing.h"
#include "storage/snapshot.h"
#include "storage/superblock.h"
#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

std::vector<std::byte> golden(const std::string& name, const std::vector<std::byte>& now) {
  const std::string path = std::string(WEIR_TESTS_DIR) + "/golden/" + name;
  if (std::getenv("WEIR_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(now.data()), static_cast<std::streamsize>(now.size()));
  }
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::vector<std::byte> bytes;
  std::for_each(std::istreambuf_iterator<char>(file), {},
                [&](char c) { bytes.push_back(static_cast<std::byte>(c)); });
  return bytes;
}

const std::vector<Replayed>& golden_records() {
  static const std::vector<Replayed> records{
      {RecordType::meta, 0, 0, "declare"},
      {RecordType::enqueue, 1, 1, "first message"},
      {RecordType::enqueue, 1, 2, ""},
      {RecordType::settle, 1, 0, std::string("\1\0\0\0\0\0\0\0\1\0\0\0", 12)},
      {RecordType::requeue, 1, 0, "requeued"},
      {RecordType::enqueue, 2, 1, std::string(5000, 'b')},
  };
  return records;
}

std::vector<std::byte> written_now() {
  Machine machine;
  EXPECT_TRUE(machine.boot());
  EXPECT_TRUE(machine.settle_disk());
  for (const Replayed& record : golden_records()) {
    machine.append(record.seq, record.payload, record.queue, record.type);
    if (record.type != RecordType::meta) EXPECT_TRUE(machine.make_durable());
  }
  machine.journal->write_mark();
  EXPECT_TRUE(machine.settle_disk());
  std::vector<std::byte> log = machine.storage.contents(machine.log_files().front());
  log.resize(machine.journal->durable().value);
  return log;
}

TEST(Golden, the_journal_is_written_as_ever) {
  const std::vector<std::byte> now = written_now();
  EXPECT_TRUE(golden("journal-v1.log", now) == now);
}

TEST(Golden, the_journal_of_version_1_is_read) {
  std::vector<std::byte> log = golden("journal-v1.log", written_now());
  log.resize(64U << 10);
  Machine machine;
  machine.disk = machine.storage.open_disk();
  const std::string directory = machine.options.directory;
  ASSERT_TRUE(machine.disk->make_directories(directory).has_value());
  Superblock superblock;
  superblock.identity = machine.options.random_seed;
  superblock.incarnation = 1;
  ASSERT_TRUE(store_superblock_now(*machine.disk, directory, superblock).has_value());
  ASSERT_TRUE(machine.disk->write_file_now(directory + "/j-0000000000000000.log", log).has_value());
  ASSERT_TRUE(machine.boot());
  EXPECT_EQ(machine.replay.records, golden_records());
  EXPECT_TRUE(machine.replay.damages.empty());
}

TEST(Golden, the_superblock_is_written_and_read_as_ever) {
  Superblock superblock;
  superblock.identity = 0x0123'4567'89ab'cdef;
  superblock.generation = 9;
  superblock.start = Lsn{0x10000};
  superblock.begin = Lsn{0x24000};
  superblock.durable = Lsn{0x28000};
  superblock.incarnation = 4;
  superblock.clean = true;
  superblock.earlier = {{Lsn{0x8000}, 2}, {Lsn{0x14000}, 3}};
  std::vector<std::byte> now(superblock_bytes);
  encode_superblock(superblock, now.data());
  const std::vector<std::byte> then = golden("superblock-v1.bin", now);
  EXPECT_TRUE(then == now);
  EXPECT_EQ(decode_superblock(then).value(), superblock);
}

TEST(Golden, the_snapshot_is_written_and_read_as_ever) {
  const std::vector<std::byte> now = encode_snapshot(Lsn{0x123456}, as_bytes("definitions up to there"));
  const std::vector<std::byte> then = golden("snapshot-v1.bin", now);
  EXPECT_TRUE(then == now);
  EXPECT_EQ(decode_snapshot(then).value().lsn, Lsn{0x123456});
  EXPECT_EQ(as_text(decode_snapshot(then).value().contents), "definitions up to there");
}

TEST(Golden, the_checkpoint_is_written_and_read_as_ever) {
  CheckpointBuilder builder;
  builder.begin_queue(QueueId{7}, Seq{1000});
  builder.add(Seq{3}, false, 0, 300);
  builder.add(Seq{900}, true, 2);
  builder.begin_queue(QueueId{8}, Seq{5});
  const std::vector<std::byte> now = builder.finish({9, Lsn{0x20000}, Lsn{0x25000}, {{Lsn{0x10000}, 65536}}});
  const std::vector<std::byte> then = golden("checkpoint-v1.bin", now);
  EXPECT_TRUE(then == now);
  auto reader = CheckpointReader::open(then);
  ASSERT_TRUE(reader.has_value());
  QueueId queue;
  Seq next;
  CheckpointRun run;
  ASSERT_TRUE(reader->next_queue(queue, next) && reader->next_run(run));
  EXPECT_EQ(queue, QueueId{7});
  EXPECT_EQ(next, Seq{1000});
  EXPECT_EQ(run.first, Seq{3});
  EXPECT_EQ(run.count, 300U);
}

TEST(Golden, the_listing_is_written_and_read_as_ever) {
  ListingBuilder builder;
  builder.add({QueueId{7}, Seq{3}, 64, 1088, {}});
  builder.add({QueueId{7}, Seq{4}, 1152, 1088, {}});
  builder.add({QueueId{8}, Seq{70'000}, 64, 48, as_bytes("attributes")});
  const std::vector<std::byte> now = builder.finish(Lsn{0x10000});
  const std::vector<std::byte> then = golden("listing-v1.bin", now);
  EXPECT_TRUE(then == now);
  auto reader = ListingReader::open(then, Lsn{0x10000});
  ASSERT_TRUE(reader.has_value());
  ListedMessage message;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(reader->next(message));
  EXPECT_EQ(message.seq, Seq{70'000});
  EXPECT_EQ(as_text(message.attributes), "attributes");
}

TEST(Golden, the_identity_of_a_data_directory_is_written_and_read_as_ever) {
  runtime::SimStorage storage(1);
  const auto disk = storage.open_disk();
  const auto identity = open_identity(*disk, "data", 3, 7);
  ASSERT_TRUE(identity.has_value());
  const std::vector<std::byte> now = storage.contents("data/node.id");
  const std::vector<std::byte> then = golden("node-v1.id", now);
  EXPECT_EQ(as_text(then), as_text(now));
  ASSERT_TRUE(disk->make_directories("old").has_value());
  ASSERT_TRUE(disk->write_file_now("old/node.id", then).has_value());
  EXPECT_EQ(open_identity(*disk, "old", 1, 1)->node_id, identity->node_id);
}

}  // namespace
}  // namespace weir::storage
