// The journal on the real disks: io_uring where the kernel has it, and the helper threads.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <thread>

#include "runtime/loop.h"
#include "unit/storage/journal_machine.h"

namespace weir::storage {
namespace {

class JournalOnRealDisk : public ::testing::TestWithParam<runtime::KernelRing> {
 protected:
  JournalOnRealDisk() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-journal-XXXXXX").string();
    directory = mkdtemp(pattern.data());
    runtime::LoopOptions options;
    options.ring = GetParam();
    loop = std::move(runtime::Loop::make(options).value());
  }
  ~JournalOnRealDisk() override {
    journal.reset();
    loop.reset();
    std::filesystem::remove_all(directory);
  }
  void open() {
    journal.reset();
    replay = ReplayWitness{};
    events = EventsWitness{};
    JournalOptions options;
    options.directory = directory + "/shard-00";
    options.first_file_bytes = 1U << 20;
    options.file_bytes_max = 4U << 20;
    options.cache_bytes = 1U << 20;
    options.random_seed = 5;
    options.clock = &loop->clock();
    auto opened = Journal::open(loop->disk(), options, replay, events);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    journal = std::move(*opened);
  }
  void turn() {
    journal->flush();
    loop->disk().submit();
    if (loop->disk().poll() == 0) std::this_thread::yield();
  }
  Location append(std::uint64_t seq) {
    const std::string body = body_of(seq);
    const Journal::Space space =
        journal->append(RecordType::enqueue, 0, QueueId{1}, Seq{seq}, 0, body.size(), Journal::Urgency::wait);
    std::memcpy(space.bytes.data(), body.data(), body.size());
    journal->finish();
    return space.location;
  }
  static std::string body_of(std::uint64_t seq) {
    return std::to_string(seq) + std::string(500 + seq % 3000, static_cast<char>('a' + seq % 26));
  }

  std::string directory;
  std::unique_ptr<runtime::Loop> loop;
  ReplayWitness replay;
  EventsWitness events;
  std::unique_ptr<Journal> journal;
};

TEST_P(JournalOnRealDisk, writes_rolls_recycles_reads_and_recovers) {
  constexpr std::uint64_t count = 8000;
  open();
  ASSERT_FALSE(HasFatalFailure());
  std::vector<Location> locations;
  for (std::uint64_t seq = 1; seq <= count; ++seq) {
    locations.push_back(append(seq));
    journal->retain(locations.back());
    if (seq % 20 == 0) turn();
    if (seq == count / 2) {
      while (!journal->idle()) turn();
      for (std::uint64_t consumed = 0; consumed < count / 2; ++consumed)
        journal->release(locations[consumed]);
      journal->tend();
      journal->reclaim(journal->reclaimable(), Seq{});
    }
  }
  while (!journal->idle()) turn();
  ASSERT_FALSE(events.failed) << events.message;

  ReadWitness reader;
  const Location old = locations[count / 2 + 10];
  ASSERT_EQ(journal->cached(old).at, nullptr);
  journal->read(old, reader);
  while (reader.times == 0) turn();
  EXPECT_EQ(reader.payload, body_of(count / 2 + 11));

  // The process ends without a word: what was confirmed is there.
  open();
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_FALSE(replay.records.empty());
  EXPECT_LE(replay.records.front().seq, count / 2 + 1);
  EXPECT_GT(replay.records.front().seq, 1U);
  EXPECT_EQ(replay.records.back().seq, count);
  for (const Replayed& record : replay.records) ASSERT_EQ(record.payload, body_of(record.seq));
  ASSERT_TRUE(journal->close_clean().has_value());
  open();
  EXPECT_TRUE(journal->recovery().clean);
  EXPECT_EQ(replay.records.back().seq, count);
}

INSTANTIATE_TEST_SUITE_P(EitherKind, JournalOnRealDisk,
                         ::testing::Values(runtime::KernelRing::all, runtime::KernelRing::reads,
                                           runtime::KernelRing::no));

}  // namespace
}  // namespace weir::storage
