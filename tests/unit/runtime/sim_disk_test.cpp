#include "runtime/sim/sim_disk.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

#include "disk_probe.h"

namespace weir::runtime {
namespace {

constexpr std::byte old_byte{0x11};
constexpr std::byte new_byte{0x22};
constexpr std::size_t block = disk_block_bytes;

// A machine with the file "d/f" of `blocks` blocks full of old bytes.
struct Machine {
  explicit Machine(std::uint64_t seed, std::size_t blocks = 1, SimFaults faults = {})
      : storage(seed), disk(storage.open_disk(faults)) {
    EXPECT_TRUE(disk->make_directories("d"));
    EXPECT_TRUE(disk->prepare_file_now("d/f", blocks * block));
    file = disk->open("d/f").value();
    AlignedBuffer fill(blocks * block, old_byte);
    EXPECT_TRUE(disk->write_now(file, 0, fill.bytes()));
  }
  void finish(const Probe& probe) {
    disk->submit();
    for (int i = 0; i < 200 && !probe.done(); ++i) disk->poll();
    ASSERT_TRUE(probe.done());
  }
  SimStorage storage;
  std::unique_ptr<Disk> disk;
  FileHandle file;
};

TEST(SimDisk, a_write_that_completed_survives_every_crash) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    AlignedBuffer data(block, new_byte);
    Probe write;
    machine.disk->write_durable(machine.file, 0, data.bytes(), write);
    machine.finish(write);
    EXPECT_EQ(write.result(), static_cast<std::int64_t>(block));
    machine.storage.crash();
    EXPECT_EQ(machine.storage.contents("d/f"), std::vector(block, new_byte));
  }
}

TEST(SimDisk, a_write_that_was_never_submitted_leaves_no_trace) {
  Machine machine(1);
  AlignedBuffer data(block, new_byte);
  Probe write;
  machine.disk->write_durable(machine.file, 0, data.bytes(), write);
  EXPECT_EQ(machine.disk->in_flight(), 1U);
  EXPECT_EQ(machine.disk->poll(), 0U);
  machine.storage.crash();
  EXPECT_EQ(machine.storage.contents("d/f"), std::vector(block, old_byte));
}

enum Outcome : unsigned { all_old = 1, all_new = 2, mixed = 4, torn = 8 };

unsigned outcome_of(const std::vector<std::byte>& bytes) {
  std::size_t new_sectors = 0;
  bool any_torn = false;
  for (std::size_t at = 0; at < bytes.size(); at += sim_sector_bytes) {
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = static_cast<std::size_t>(std::count(first, first + sim_sector_bytes, new_byte));
    if (count == sim_sector_bytes) ++new_sectors;
    if (count == 0 || count == sim_sector_bytes) continue;
    any_torn = true;
    // Torn means a prefix: new bytes come first.
    EXPECT_TRUE(std::all_of(first, first + static_cast<std::ptrdiff_t>(count),
                            [](std::byte b) { return b == new_byte; }));
  }
  if (any_torn) return torn;
  if (new_sectors == 0) return all_old;
  return new_sectors == bytes.size() / sim_sector_bytes ? all_new : mixed;
}

unsigned outcomes(void (SimStorage::*stop)()) {
  unsigned seen = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Machine machine(seed);
    AlignedBuffer data(block, new_byte);
    Probe write;
    machine.disk->write_durable(machine.file, 0, data.bytes(), write);
    machine.disk->submit();
    (machine.storage.*stop)();
    EXPECT_FALSE(write.done());
    seen |= outcome_of(machine.storage.contents("d/f"));
  }
  return seen;
}

TEST(SimDisk, a_crash_leaves_sectors_in_flight_old_new_or_torn) {
  EXPECT_EQ(outcomes(&SimStorage::crash), unsigned{all_old | all_new | mixed | torn});
}

TEST(SimDisk, a_kill_tears_no_sector) {
  EXPECT_EQ(outcomes(&SimStorage::kill), unsigned{all_old | all_new | mixed});
}

TEST(SimDisk, the_later_of_two_writes_in_flight_can_survive_alone) {
  bool later_alone = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Machine machine(seed, 2);
    AlignedBuffer data(block, new_byte);
    Probe first;
    Probe second;
    machine.disk->write_durable(machine.file, 0, data.bytes(), first);
    machine.disk->write_durable(machine.file, block, data.bytes(), second);
    machine.disk->submit();
    machine.storage.crash();
    const std::vector<std::byte> bytes = machine.storage.contents("d/f");
    const std::vector<std::byte> head(bytes.begin(), bytes.begin() + block);
    const std::vector<std::byte> tail(bytes.begin() + block, bytes.end());
    later_alone |= outcome_of(head) == all_old && outcome_of(tail) == all_new;
  }
  EXPECT_TRUE(later_alone);
}

TEST(SimDisk, completions_come_in_an_order_by_seed_and_all_come) {
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    struct Ordered final : IoRequest {
      void on_io(std::int64_t) override { order->push_back(id); }
      std::vector<int>* order = nullptr;
      int id = 0;
    };
    Machine machine(seed, 3);
    AlignedBuffer data(block, new_byte);
    std::vector<int> order;
    std::array<Ordered, 3> requests;
    for (int i = 0; i < 3; ++i) {
      Ordered& request = requests[static_cast<std::size_t>(i)];
      request.order = &order;
      request.id = i;
      machine.disk->write_durable(machine.file, static_cast<std::uint64_t>(i) * block, data.bytes(), request);
    }
    machine.disk->submit();
    for (int polls = 0; polls < 12; ++polls) machine.disk->poll();
    ASSERT_EQ(order.size(), 3U);
    EXPECT_EQ(machine.disk->in_flight(), 0U);
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U);
}

std::vector<std::byte> history(std::uint64_t seed) {
  Machine machine(seed, 8, {.write_error_one_in = 5, .short_write_one_in = 5, .slow_one_in = 3});
  AlignedBuffer data(block, new_byte);
  std::array<Probe, 8> probes;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    machine.disk->write_durable(machine.file, i * block, data.bytes(), probes[i]);
    machine.disk->submit();
    machine.disk->poll();
  }
  machine.storage.crash();
  return machine.storage.contents("d/f");
}

TEST(SimDisk, the_same_seed_gives_the_same_history) {
  std::set<std::vector<std::byte>> different;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(history(seed), history(seed));
    different.insert(history(seed));
  }
  EXPECT_GT(different.size(), 10U);
}

TEST(SimDisk, a_read_over_a_write_in_flight_sees_old_or_new_sectors) {
  unsigned seen = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    AlignedBuffer data(block, new_byte);
    AlignedBuffer into(block);
    Probe write;
    machine.disk->write_durable(machine.file, 0, data.bytes(), write);
    machine.disk->submit();
    ASSERT_EQ(machine.disk->read_now(machine.file, 0, into.bytes()), block);
    seen |= outcome_of(std::vector(into.bytes().begin(), into.bytes().end()));
  }
  EXPECT_TRUE(seen & mixed);
  EXPECT_FALSE(seen & torn);
}

TEST(SimDisk, crash_with_gives_exactly_the_chosen_sectors) {
  Machine machine(7, 2);
  AlignedBuffer data(block, new_byte);
  Probe write;
  machine.disk->write_durable(machine.file, block, data.bytes(), write);
  machine.disk->submit();
  const std::size_t sectors = machine.storage.sectors_in_flight();
  ASSERT_EQ(sectors, block / sim_sector_bytes);
  for (std::size_t outcome = 0; outcome < (std::size_t{1} << sectors); ++outcome) {
    std::vector<bool> persisted(sectors);
    for (std::size_t bit = 0; bit < sectors; ++bit) persisted[bit] = (outcome >> bit & 1) != 0;
    const std::unique_ptr<SimStorage> branch = machine.storage.clone(outcome);
    branch->crash_with(persisted);
    const std::vector<std::byte> bytes = branch->contents("d/f");
    ASSERT_EQ(bytes.front(), old_byte);
    for (std::size_t bit = 0; bit < sectors; ++bit) {
      ASSERT_EQ(bytes[block + bit * sim_sector_bytes], persisted[bit] ? new_byte : old_byte);
    }
  }
  // The exploration did not touch the original, which goes on.
  machine.finish(write);
  EXPECT_EQ(machine.storage.contents("d/f")[block], new_byte);
}

TEST(SimDisk, names_in_flight_are_outcomes_of_crash_with_too) {
  Machine machine(7);
  Probe rename;
  machine.disk->rename_file("d/f", "d/g", rename);
  machine.disk->submit();
  ASSERT_EQ(machine.storage.sectors_in_flight(), 1U);
  const std::unique_ptr<SimStorage> done = machine.storage.clone(1);
  done->crash_with({true});
  EXPECT_EQ(done->paths(), std::vector<std::string>{"d/g"});
  machine.storage.crash_with({false});
  EXPECT_EQ(machine.storage.paths(), std::vector<std::string>{"d/f"});
}

TEST(SimDisk, a_file_being_prepared_is_absent_whole_or_a_temporary_after_a_crash) {
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Machine machine(seed);
    Probe prepare;
    machine.disk->prepare_file("d/g", 4 * block, prepare);
    machine.disk->submit();
    machine.storage.crash();
    seen.insert(machine.storage.paths());
    if (machine.storage.paths().back() == "d/g") {
      EXPECT_EQ(machine.storage.contents("d/g").size(), 4 * block);
    }
  }
  EXPECT_EQ(seen, (std::set<std::vector<std::string>>{{"d/f"}, {"d/f", "d/g"}, {"d/f", "d/g.tmp"}}));
}

TEST(SimDisk, a_renamed_file_keeps_its_stale_contents) {
  Machine machine(3);
  Probe rename;
  machine.disk->rename_file("d/f", "d/next", rename);
  machine.finish(rename);
  EXPECT_EQ(rename.result(), 0);
  machine.storage.crash();
  EXPECT_EQ(machine.storage.contents("d/next"), std::vector(block, old_byte));
}

TEST(SimDisk, a_view_opened_before_a_crash_is_dead) {
  Machine machine(3);
  AlignedBuffer data(block, new_byte);
  Probe write;
  machine.disk->write_durable(machine.file, 0, data.bytes(), write);
  machine.disk->submit();
  machine.storage.crash();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(machine.disk->poll(), 0U);
  EXPECT_FALSE(write.done());
  EXPECT_EQ(machine.disk->in_flight(), 0U);
  EXPECT_EQ(machine.disk->open("d/f").error().code, ErrorCode::io_error);
  const std::unique_ptr<Disk> next = machine.storage.open_disk();
  EXPECT_TRUE(next->open("d/f"));
}

TEST(SimDisk, flipping_a_bit_damages_what_is_durable) {
  Machine machine(3);
  EXPECT_TRUE(machine.storage.flip_bit("d/f", 100, 3));
  EXPECT_EQ(machine.storage.contents("d/f")[100], old_byte ^ std::byte{8});
  EXPECT_FALSE(machine.storage.flip_bit("d/f", block, 0));
  EXPECT_FALSE(machine.storage.flip_bit("d/none", 0, 0));
}

TEST(SimDisk, faults_strike_when_asked_for) {
  Machine failing(3, 1, {.write_error_one_in = 1});
  AlignedBuffer data(block, new_byte);
  Probe write;
  failing.disk->write_durable(failing.file, 0, data.bytes(), write);
  failing.finish(write);
  EXPECT_EQ(write.result(), -EIO);

  Machine shortened(3, 1, {.short_write_one_in = 1});
  Probe short_write;
  shortened.disk->write_durable(shortened.file, 0, data.bytes(), short_write);
  shortened.finish(short_write);
  EXPECT_LT(short_write.result(), static_cast<std::int64_t>(block));
  EXPECT_GE(short_write.result(), 0);

  Machine unreadable(3, 1, {.read_error_one_in = 1});
  Probe read;
  unreadable.disk->read(unreadable.file, 0, data.bytes(), read);
  unreadable.finish(read);
  EXPECT_EQ(read.result(), -EIO);
}

TEST(SimDisk, a_full_disk_refuses_new_files_and_says_how_much_is_free) {
  Machine machine(3, 1, {.capacity_bytes = 3 * block});
  EXPECT_EQ(machine.disk->free_bytes("d"), 2 * block);
  Probe prepare;
  machine.disk->prepare_file("d/g", 3 * block, prepare);
  machine.finish(prepare);
  EXPECT_EQ(prepare.result(), -ENOSPC);
  EXPECT_EQ(machine.storage.paths(), std::vector<std::string>{"d/f"});
  EXPECT_TRUE(machine.disk->prepare_file_now("d/g", 2 * block));
  EXPECT_EQ(machine.disk->write_file_now("d/h", AlignedBuffer(block).bytes()).error().code,
            ErrorCode::no_space);
}

TEST(SimDisk, closing_in_order_finishes_what_was_submitted) {
  Machine machine(3);
  AlignedBuffer data(block, new_byte);
  Probe write;
  machine.disk->write_durable(machine.file, 0, data.bytes(), write);
  machine.disk->submit();
  machine.disk.reset();
  EXPECT_FALSE(write.done());
  EXPECT_EQ(machine.storage.contents("d/f"), std::vector(block, new_byte));
  EXPECT_EQ(machine.storage.sectors_in_flight(), 0U);
}

TEST(SimDiskDeathTest, a_buffer_that_changes_while_it_is_written_is_a_bug) {
  Machine machine(3);
  AlignedBuffer data(block, new_byte);
  Probe write;
  machine.disk->write_durable(machine.file, 0, data.bytes(), write);
  machine.disk->submit();
  data[0] = old_byte;
  EXPECT_DEATH(machine.finish(write), "");
}

}  // namespace
}  // namespace weir::runtime
