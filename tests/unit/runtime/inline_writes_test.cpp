#include "runtime/inline_writes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "disk_probe.h"
#include "runtime/loop.h"

namespace weir::runtime {
namespace {

constexpr std::size_t block = disk_block_bytes;

// Whatever is timed with it takes `step_ns`.
class SteppingClock final : public Clock {
 public:
  std::uint64_t monotonic_ns() const override { return now_ns_ += step_ns; }
  std::uint64_t wall_ms() const override { return 0; }
  std::uint64_t step_ns = 1'000;

 private:
  mutable std::uint64_t now_ns_ = 0;
};

class InlineWritesTest : public ::testing::Test {
 protected:
  // A write that is alone: true if it would be made here, else it was handed over and took `ns`.
  bool write(std::uint64_t ns, std::size_t bytes = block) {
    clock.step_ns = ns;
    if (inline_writes.submitted(probe, bytes, true)) return true;
    inline_writes.completed(probe);
    return false;
  }
  // How many fast writes are handed over before one is to be made here.
  unsigned handed_over() {
    unsigned count = 0;
    while (!write(fast) && count < 1000) ++count;
    return count;
  }
  void make(std::uint64_t ns) {
    clock.step_ns = ns;
    EXPECT_EQ(inline_writes.make(nowhere), -EBADF);
  }
  static DiskJob write_to_nowhere() {
    static const std::byte bytes[1]{};
    DiskJob job;
    job.kind = DiskJob::Kind::write;
    job.data = bytes;
    return job;
  }

  static constexpr std::uint64_t fast = 20'000;
  static constexpr std::uint64_t slow = 200'000;
  SteppingClock clock;
  InlineWrites inline_writes{clock, {}};
  Probe probe;
  const DiskJob nowhere = write_to_nowhere();
};

TEST_F(InlineWritesTest, a_disk_that_was_fast_some_times_is_written_to_here) {
  EXPECT_EQ(handed_over(), 8U);
  EXPECT_TRUE(write(fast));
}

TEST_F(InlineWritesTest, a_slow_disk_is_never_written_to_here) {
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(write(slow));
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(write(i % 8 == 0 ? slow : fast));
}

TEST_F(InlineWritesTest, a_larger_write_or_one_beside_another_is_handed_over_and_begins_the_proof_anew) {
  EXPECT_EQ(handed_over(), 8U);
  EXPECT_FALSE(write(fast, 5 * block));
  EXPECT_EQ(handed_over(), 8U);
  EXPECT_TRUE(write(fast, 4 * block));
  EXPECT_FALSE(inline_writes.submitted(probe, block, false));
  inline_writes.completed(probe);
  EXPECT_EQ(handed_over(), 8U);
}

TEST_F(InlineWritesTest, a_slow_write_made_here_asks_for_more_proof_each_time_up_to_a_bound) {
  EXPECT_EQ(handed_over(), 8U);
  for (const unsigned needed : {16U, 32U, 64U, 64U}) {
    make(slow);
    EXPECT_EQ(handed_over(), needed);
  }
}

TEST_F(InlineWritesTest, fast_writes_made_here_restore_the_trust) {
  EXPECT_EQ(handed_over(), 8U);
  make(slow);
  EXPECT_EQ(handed_over(), 16U);
  for (unsigned i = 0; i < InlineWrites::forgiven_after; ++i) make(fast);
  make(slow);
  EXPECT_EQ(handed_over(), 16U);
}

// --- the disks with it ---

class Inline : public ::testing::TestWithParam<KernelRing> {
 protected:
  void SetUp() override {
    constexpr InlineWriteLimits always{.bytes_max = 2 * block, .fast_ns = ~std::uint64_t{0}, .proofs = 0};
    Result<std::unique_ptr<RealDisk>> made = make_real_disk({.ring = GetParam(), .inline_writes = always});
    if (!made) GTEST_SKIP() << "no io_uring here";
    disk = std::move(*made);
    ASSERT_TRUE(disk->prepare_file_now(path, 16 * block));
    file = disk->open(path).value();
  }
  void TearDown() override { ::unlink(path.c_str()); }
  bool holds(std::uint64_t at, std::byte what) {
    AlignedBuffer read(block);
    EXPECT_EQ(reader->read_now(file, at * block, read.bytes()), block);
    return read.all(what);
  }

  const std::string path = ::testing::TempDir() + "weir-inline-" + std::to_string(::getpid());
  std::unique_ptr<RealDisk> disk;
  std::unique_ptr<RealDisk> reader = make_real_disk({.ring = KernelRing::no}).value();
  FileHandle file;
  AlignedBuffer data{3 * block, std::byte{7}};
  Probe first, second;
};
INSTANTIATE_TEST_SUITE_P(Disks, Inline, ::testing::Values(KernelRing::no, KernelRing::reads, KernelRing::all),
                         [](const auto& what) -> std::string {
                           if (what.param == KernelRing::no) return "threads";
                           return what.param == KernelRing::all ? "io_uring" : "io_uring_for_reads";
                         });

TEST_P(Inline, a_small_write_that_is_alone_is_made_by_the_next_poll) {
  disk->write_durable(file, block, data.bytes().first(block), first);
  EXPECT_EQ(disk->poll(), 0U);  // not submitted yet
  disk->submit();
  disk->submit();
  EXPECT_TRUE(disk->holds_write());
  EXPECT_FALSE(first.done());
  EXPECT_EQ(disk->in_flight(), 1U);
  EXPECT_EQ(disk->poll(), 1U);
  EXPECT_EQ(first.result(), static_cast<std::int64_t>(block));
  EXPECT_FALSE(disk->holds_write());
  EXPECT_EQ(disk->in_flight(), 0U);
  EXPECT_TRUE(holds(0, std::byte{0}));
  EXPECT_TRUE(holds(1, std::byte{7}));
}

TEST_P(Inline, large_writes_and_several_are_handed_over) {
  disk->write_durable(file, 0, data.bytes(), first);
  disk->submit();
  EXPECT_FALSE(disk->holds_write());
  disk->write_durable(file, 4 * block, data.bytes().first(block), second);
  disk->submit();
  EXPECT_FALSE(disk->holds_write());
  while (!first.done() || !second.done()) disk->poll();
  EXPECT_TRUE(holds(2, std::byte{7}));
  EXPECT_TRUE(holds(4, std::byte{7}));
}

TEST_P(Inline, another_write_takes_the_one_that_was_held_with_it) {
  disk->write_durable(file, 0, data.bytes().first(block), first);
  disk->submit();
  EXPECT_TRUE(disk->holds_write());
  disk->write_durable(file, block, data.bytes().first(block), second);
  disk->submit();
  EXPECT_FALSE(disk->holds_write());
  while (!first.done() || !second.done()) disk->poll();
  EXPECT_TRUE(holds(0, std::byte{7}));
  EXPECT_TRUE(holds(1, std::byte{7}));
}

TEST_P(Inline, what_is_held_can_be_handed_over) {
  disk->write_durable(file, 0, data.bytes().first(block), first);
  disk->submit();
  disk->hand_over();
  EXPECT_FALSE(disk->holds_write());
  while (!first.done()) disk->poll();
  EXPECT_TRUE(holds(0, std::byte{7}));
}

TEST_P(Inline, closing_the_disk_makes_the_write_that_is_held) {
  disk->write_durable(file, 0, data.bytes().first(block), first);
  disk->submit();
  disk.reset();
  EXPECT_FALSE(first.done());
  EXPECT_TRUE(holds(0, std::byte{7}));
}

// A loop that slept while its disk holds a write would never come back: nothing else wakes it.
TEST_P(Inline, a_loop_does_not_sleep_over_a_write_that_its_disk_holds) {
  auto made = Loop::make({.ring = GetParam(), .threads_instead = false});
  if (!made) GTEST_SKIP() << "no io_uring here";
  struct Repeat final : IoRequest {
    void on_io(std::int64_t result) override {
      EXPECT_EQ(result, static_cast<std::int64_t>(block));
      ++done < 500 ? begin() : loop->stop();
    }
    void begin() { loop->disk().write_durable(file, 0, bytes, *this); }
    Loop* loop = nullptr;
    FileHandle file;
    Bytes bytes;
    int done = 0;
  };
  Repeat repeat;
  repeat.loop = made->get();
  repeat.file = file;
  repeat.bytes = data.bytes().first(block);
  (*made)->post([&] { repeat.begin(); });
  (*made)->run(nullptr);
  EXPECT_EQ(repeat.done, 500);
}

}  // namespace
}  // namespace weir::runtime
