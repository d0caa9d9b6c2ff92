// Bits that change below what was durable: reported, limited to the records that they hit, the rest is served.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

class JournalDamage : public ::testing::Test {
 protected:
  // Batches of several records over several files; all of it is known to be durable.
  void fill(std::uint64_t count = 300, std::size_t bytes = 500) {
    ASSERT_TRUE(machine.boot());
    for (std::uint64_t seq = 1; seq <= count; ++seq) {
      locations.push_back(
          machine.append(seq, body(seq, bytes), 7, seq % 5 == 0 ? RecordType::settle : RecordType::enqueue));
      if (seq % 5 == 0) ASSERT_TRUE(machine.make_durable());
    }
    ASSERT_TRUE(machine.make_durable());
    machine.journal->write_mark();
    ASSERT_TRUE(machine.settle_disk());
    machine.power_off();
  }
  static std::string body(std::uint64_t seq, std::size_t bytes) {
    std::string text = std::to_string(seq) + " ";
    text.resize(bytes, static_cast<char>('a' + seq % 26));
    return text;
  }
  void flip(std::size_t index, std::uint64_t byte, unsigned bit = 1) {
    ASSERT_TRUE(
        machine.storage.flip_bit(machine.file_of(locations[index]), locations[index].offset() + byte, bit));
  }
  std::uint64_t lost() const {
    std::uint64_t count = 0;
    for (const ReplayWitness::Damage& damage : machine.replay.damages) count += damage.records_lost;
    return count;
  }
  void expect_all_but(const std::vector<std::uint64_t>& missing, std::uint64_t count = 300) {
    std::vector<std::uint64_t> expected = ascending(1, count);
    std::erase_if(expected, [&](std::uint64_t seq) {
      return std::find(missing.begin(), missing.end(), seq) != missing.end();
    });
    EXPECT_EQ(machine.seqs(), expected);
  }

  Machine machine;
  std::vector<Location> locations;  // of seq 1, 2, ...
};

TEST_F(JournalDamage, a_bit_in_a_payload_costs_that_record) {
  fill();
  flip(41, record_header_bytes + 100);
  ASSERT_TRUE(machine.boot());
  expect_all_but({42});
  ASSERT_EQ(machine.replay.damages.size(), 1U);
  EXPECT_EQ(lost(), 1U);
  EXPECT_GT(machine.journal->recovery().damaged_bytes, 0U);
}

TEST_F(JournalDamage, a_bit_in_a_records_length_costs_that_record) {
  for (const unsigned bit : {0U, 4U, 7U}) {
    for (const std::uint64_t byte : {4U, 5U, 6U, 7U}) {
      locations.clear();
      machine.journal.reset();
      machine.options.directory = "data/" + std::to_string(bit) + "-" + std::to_string(byte);
      fill(60);
      const std::string file = machine.options.directory + "/j-0000000000000000.log";
      ASSERT_TRUE(machine.storage.flip_bit(file, locations[21].offset() + byte, bit));
      ASSERT_TRUE(machine.boot());
      expect_all_but({22}, 60);
      EXPECT_EQ(lost(), 1U);
    }
  }
}

TEST_F(JournalDamage, a_bit_in_a_records_crc_costs_that_record) {
  fill();
  flip(41, 2);
  ASSERT_TRUE(machine.boot());
  expect_all_but({42});
  EXPECT_EQ(lost(), 1U);
}

TEST_F(JournalDamage, a_bit_in_a_batch_header_costs_nothing_and_is_reported) {
  fill();
  for (std::uint64_t byte = 0; byte < batch_header_bytes; byte += 7) {
    const std::string file = machine.file_of(locations[45]);
    const std::uint64_t batch = locations[45].offset() - batch_header_bytes;
    ASSERT_TRUE(machine.storage.flip_bit(file, batch + byte, 3));
    ASSERT_TRUE(machine.boot());
    expect_all_but({});
    EXPECT_EQ(machine.replay.damages.size(), 1U);
    EXPECT_EQ(lost(), 0U);
    machine.power_off();
    ASSERT_TRUE(machine.storage.flip_bit(file, batch + byte, 3));
  }
}

TEST_F(JournalDamage, without_its_header_a_batchs_messages_still_come) {
  fill();
  for (std::uint64_t byte = 0; byte < batch_header_bytes; ++byte) {
    ASSERT_TRUE(machine.storage.flip_bit(machine.file_of(locations[45]), locations[45].offset() - 64 + byte,
                                         byte % 8));
  }
  ASSERT_TRUE(machine.boot());
  expect_all_but({50});  // a settlement: it can't be proven to be of this batch
  EXPECT_EQ(machine.replay.damages.size(), 1U);
}

TEST_F(JournalDamage, a_single_bit_anywhere_costs_at_most_one_record_and_never_changes_one) {
  fill();
  const std::vector<std::string> files = machine.log_files();
  const Location last = locations.back();
  Rng random(77);
  for (int times = 0; times < 600; ++times) {
    const std::uint64_t slot = random.below(last.slot() + 1);
    const std::uint64_t limit =
        slot == last.slot() ? last.offset() : machine.storage.contents(files[slot]).size();
    const std::uint64_t at = random.below(limit);
    const auto bit = static_cast<unsigned>(random.below(8));
    ASSERT_TRUE(machine.storage.flip_bit(files[slot], at, bit));
    auto branch = machine.storage.clone(1);
    const auto disk = branch->open_disk();
    ReplayWitness replay;
    EventsWitness events;
    const auto journal = Journal::open(*disk, machine.options, replay, events);
    ASSERT_TRUE(journal.has_value());
    std::uint64_t next = 1;
    std::size_t missing = 0;
    for (const Replayed& record : replay.records) {
      missing += record.seq - next;
      next = record.seq + 1;
      EXPECT_EQ(record.payload, body(record.seq, 500));
    }
    missing += 301 - next;
    EXPECT_LE(missing, 1U) << files[slot] << " " << at << " " << bit;
    if (missing == 1) EXPECT_EQ(replay.damages.size(), 1U);
    ASSERT_TRUE(machine.storage.flip_bit(files[slot], at, bit));
  }
}

TEST_F(JournalDamage, it_is_found_again_the_same_and_the_log_goes_on_behind_it) {
  fill();
  flip(41, record_header_bytes);
  flip(141, record_header_bytes);
  ASSERT_TRUE(machine.boot());
  const std::vector<Replayed> records = machine.replay.records;
  const std::vector<ReplayWitness::Damage> damages = machine.replay.damages;
  EXPECT_EQ(damages.size(), 2U);
  machine.append(301, body(301, 500));
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  EXPECT_EQ(machine.replay.damages, damages);
  expect_all_but({42, 142}, 301);
}

TEST_F(JournalDamage, a_wiped_stretch_is_one_report_and_what_is_behind_it_is_served) {
  fill();
  const std::string file = machine.file_of(locations[41]);
  const std::uint64_t begin = locations[40].offset() / batch_alignment * batch_alignment;
  const auto contents = machine.storage.contents(file);
  for (std::uint64_t at = begin; at < begin + 5 * batch_alignment; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((std::to_integer<unsigned>(contents[at]) >> bit & 1U) != 0) machine.storage.flip_bit(file, at, bit);
    }
  }
  ASSERT_TRUE(machine.boot());
  expect_all_but(ascending(41, 25));
  ASSERT_EQ(machine.replay.damages.size(), 1U);
  EXPECT_EQ(machine.replay.damages[0].from.value, begin);
  EXPECT_EQ(machine.replay.damages[0].to.value, begin + 5 * batch_alignment);
}

TEST_F(JournalDamage, the_last_commit_is_known_durable_by_a_mark_or_by_a_clean_end) {
  for (const bool by_mark : {true, false}) {
    Machine fresh;
    ASSERT_TRUE(fresh.boot());
    ASSERT_TRUE(fresh.settle_disk());
    const Location location = fresh.append(1, std::string(100, '1'));
    if (by_mark) {
      ASSERT_TRUE(fresh.make_durable());
      fresh.journal->write_mark();
      ASSERT_TRUE(fresh.settle_disk());
    } else {
      ASSERT_TRUE(fresh.journal->close_clean().has_value());
    }
    fresh.power_off();
    ASSERT_TRUE(fresh.storage.flip_bit(fresh.file_of(location), location.offset() + 30, 0));
    ASSERT_TRUE(fresh.boot());
    EXPECT_TRUE(fresh.replay.records.empty());
    ASSERT_EQ(fresh.replay.damages.size(), 1U) << (by_mark ? "mark" : "clean end");
    EXPECT_EQ(fresh.replay.damages[0].records_lost, 1U);
  }
}

TEST_F(JournalDamage, what_an_earlier_start_found_is_known_to_be_durable) {
  ASSERT_TRUE(machine.boot());
  ASSERT_TRUE(machine.settle_disk());
  const Location location = machine.append(1, std::string(100, '1'));
  ASSERT_TRUE(machine.make_durable());
  ASSERT_TRUE(machine.reboot_after_power_off());
  machine.power_off();
  ASSERT_TRUE(machine.storage.flip_bit(machine.file_of(location), location.offset() + 30, 0));
  ASSERT_TRUE(machine.boot());
  EXPECT_EQ(machine.replay.damages.size(), 1U);
}

// Behind a damaged durable batch: one in flight that is torn, and a whole one after it. Neither was confirmed.
TEST_F(JournalDamage, damage_does_not_bring_back_what_lies_behind_a_torn_batch) {
  JournalOptions options = small_options();
  options.commits_in_flight_max = 3;
  for (const bool header_too : {false, true}) {
    Machine fresh(1, options);
    ASSERT_TRUE(fresh.boot());
    ASSERT_TRUE(fresh.settle_disk());
    const Location location = fresh.append(1, std::string(100, '1'));
    ASSERT_TRUE(fresh.make_durable());
    for (std::uint64_t seq = 2; seq <= 3; ++seq) {
      fresh.append(seq, "in flight");
      fresh.journal->flush();
    }
    fresh.disk->submit();
    std::vector<bool> persisted(16, true);
    persisted[0] = false;  // the header of the first of the two
    fresh.storage.crash_with(persisted);
    const std::string file = fresh.file_of(location);
    if (header_too) {
      for (std::uint64_t byte = 0; byte < 64; ++byte) fresh.storage.flip_bit(file, byte, byte % 8);
    }
    ASSERT_TRUE(fresh.storage.flip_bit(file, location.offset() + 30, 0));
    ASSERT_TRUE(fresh.boot());
    EXPECT_TRUE(fresh.replay.records.empty());
    ASSERT_EQ(fresh.replay.damages.size(), 1U);
    EXPECT_EQ(fresh.replay.damages[0].to.value, batch_alignment);
    EXPECT_EQ(fresh.journal->recovery().end.value, batch_alignment);
  }
}

// The disk says that it wrote and did not: the block shows what the recycled file held there before.
TEST_F(JournalDamage, a_lost_write_does_not_bring_back_a_recycled_files_old_records) {
  fill(60);
  const std::string file = machine.file_of(locations[30]);
  // An old batch under its own, earlier position.
  const std::uint64_t block = locations[30].offset() / batch_alignment * batch_alignment;
  std::vector<std::byte> contents = machine.storage.contents(file);
  const auto header = decode_batch_header(Bytes(contents).subspan(block),
                                          static_cast<std::uint32_t>(0x1234'5678 ^ 0x9abc'def0));
  ASSERT_TRUE(header.has_value());
  BatchHeader old = *header;
  old.lsn = old.durable_lsn = Lsn{0};
  encode_batch_header(old, contents.data() + block, static_cast<std::uint32_t>(0x1234'5678 ^ 0x9abc'def0));
  machine.disk = machine.storage.open_disk();
  ASSERT_TRUE(machine.disk->write_file_now(file, contents).has_value());
  ASSERT_TRUE(machine.boot());
  expect_all_but(ascending(31, 5), 60);
  EXPECT_EQ(machine.replay.damages.size(), 1U);
}

TEST_F(JournalDamage, a_missing_file_is_damage_and_the_files_behind_it_are_served) {
  fill();
  const std::vector<std::string> files = machine.log_files();
  ASSERT_GT(files.size(), 3U);
  const std::uint64_t bytes = machine.storage.contents(files[1]).size();
  machine.disk = machine.storage.open_disk();
  ASSERT_TRUE(machine.disk->remove_now(files[1]).has_value());
  ASSERT_TRUE(machine.boot());
  std::vector<std::uint64_t> missing;
  for (std::uint64_t seq = 1; seq <= 300; ++seq) {
    if (locations[seq - 1].slot() == 1) missing.push_back(seq);
  }
  expect_all_but(missing);
  ASSERT_EQ(machine.replay.damages.size(), 1U);
  EXPECT_EQ(machine.replay.damages[0].to.value - machine.replay.damages[0].from.value, bytes);
}

TEST_F(JournalDamage, a_missing_first_file_is_damage_too) {
  fill();
  const std::vector<std::string> files = machine.log_files();
  machine.disk = machine.storage.open_disk();
  ASSERT_TRUE(machine.disk->remove_now(files[0]).has_value());
  ASSERT_TRUE(machine.boot());
  ASSERT_FALSE(machine.replay.damages.empty());
  EXPECT_EQ(machine.seqs().back(), 300U);
}

}  // namespace
}  // namespace weir::storage
