// One suite over every disk: what holds for the simulated one holds for the real ones.
#include "runtime/disk.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "disk_probe.h"
#include "runtime/posix_disk.h"
#include "runtime/sim/sim_disk.h"

namespace weir::runtime {
namespace {

constexpr std::size_t block = disk_block_bytes;

class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& below) : path_(below + "/weir-disk-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Waits for a real disk's event, so that no test turns in a circle.
void wait_for(RealDisk& disk) {
  pollfd wanted{.fd = disk.event(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&wanted, 1, 20'000), 1);
  std::uint64_t count = 0;
  ASSERT_EQ(::read(disk.event(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
}

template <KernelRing Ring>
struct Real {
  explicit Real(const std::string& below = ::testing::TempDir()) : directory(below) {
    Result<std::unique_ptr<RealDisk>> made = make_real_disk({.ring = Ring});
    if (made) disk = std::move(*made);
  }
  void wait() {
    if (disk->poll() == 0) wait_for(*disk);
  }
  std::string path() const { return directory.path(); }

  TemporaryDirectory directory;
  std::unique_ptr<RealDisk> disk;
};
// On a file system without O_DIRECT.
template <KernelRing Ring>
struct RealInMemory : Real<Ring> {
  RealInMemory() : Real<Ring>("/dev/shm") {}
};
struct Simulated {
  Simulated() : disk(storage.open_disk()) { EXPECT_TRUE(disk->make_directories("d")); }
  void wait() { disk->poll(); }
  std::string path() const { return "d"; }

  SimStorage storage{42};
  std::unique_ptr<Disk> disk;
};

template <typename Kind>
class DiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (disk() == nullptr) GTEST_SKIP() << "no io_uring here";
  }
  Disk* disk() { return kind_.disk.get(); }
  std::string path(const std::string& name) { return kind_.path() + "/" + name; }
  std::int64_t finish(const Probe& probe) {
    disk()->submit();
    while (!probe.done() && !::testing::Test::HasFatalFailure()) {
      kind_.wait();
      disk()->poll();
    }
    return probe.result();
  }
  FileHandle prepared(const std::string& name, std::size_t blocks) {
    EXPECT_TRUE(disk()->prepare_file_now(path(name), blocks * block));
    return disk()->open(path(name)).value();
  }
  Kind kind_;
};

using Kinds =
    ::testing::Types<Simulated, Real<KernelRing::all>, Real<KernelRing::reads>, Real<KernelRing::no>,
                     RealInMemory<KernelRing::all>, RealInMemory<KernelRing::no>>;
TYPED_TEST_SUITE(DiskTest, Kinds);

TYPED_TEST(DiskTest, what_was_written_is_read_back) {
  const FileHandle file = this->prepared("f", 4);
  AlignedBuffer data(2 * block, std::byte{7});
  Probe write;
  this->disk()->write_durable(file, block, data.bytes(), write);
  EXPECT_EQ(this->finish(write), static_cast<std::int64_t>(2 * block));
  AlignedBuffer into(4 * block, std::byte{1});
  Probe read;
  this->disk()->read(file, 0, into.bytes(), read);
  EXPECT_EQ(this->finish(read), static_cast<std::int64_t>(4 * block));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(into[i * block], i == 1 || i == 2 ? std::byte{7} : std::byte{0}) << i;
  }
  EXPECT_EQ(this->disk()->in_flight(), 0U);
  this->disk()->close(file);
}

TYPED_TEST(DiskTest, many_requests_are_in_flight_at_once_and_all_complete) {
  constexpr std::size_t count = 600;
  const FileHandle file = this->prepared("f", count);
  std::vector<std::unique_ptr<AlignedBuffer>> buffers;
  std::vector<Probe> probes(count);
  for (std::size_t i = 0; i < count; ++i) {
    buffers.push_back(std::make_unique<AlignedBuffer>(block, static_cast<std::byte>(i)));
    this->disk()->write_durable(file, i * block, buffers.back()->bytes(), probes[i]);
  }
  EXPECT_EQ(this->disk()->in_flight(), count);
  this->disk()->submit();
  while (this->disk()->in_flight() > 0 && !this->HasFatalFailure()) {
    this->kind_.wait();
    this->disk()->poll();
    this->disk()->submit();
  }
  for (const Probe& probe : probes) ASSERT_EQ(probe.result(), static_cast<std::int64_t>(block));
  AlignedBuffer into(count * block);
  EXPECT_EQ(this->disk()->read_now(file, 0, into.bytes()), count * block);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(into[i * block + 17], static_cast<std::byte>(i));
  this->disk()->close(file);
}

TYPED_TEST(DiskTest, a_completion_may_ask_for_more) {
  struct Chain final : IoRequest {
    void on_io(std::int64_t result) override {
      last = result;
      if (--left == 0) return;
      disk->write_durable(file, 0, bytes, *this);
      disk->submit();
    }
    Disk* disk = nullptr;
    FileHandle file = no_file;
    Bytes bytes;
    int left = 50;
    std::int64_t last = 0;
  } chain;
  AlignedBuffer data(block, std::byte{9});
  chain.disk = this->disk();
  chain.file = this->prepared("f", 1);
  chain.bytes = data.bytes();
  this->disk()->write_durable(chain.file, 0, chain.bytes, chain);
  this->disk()->submit();
  while (chain.left > 0 && !this->HasFatalFailure()) this->kind_.wait();
  EXPECT_EQ(chain.last, static_cast<std::int64_t>(block));
}

TYPED_TEST(DiskTest, reading_past_the_end_is_short) {
  const FileHandle file = this->prepared("f", 2);
  AlignedBuffer into(4 * block);
  Probe read;
  this->disk()->read(file, block, into.bytes(), read);
  EXPECT_EQ(this->finish(read), static_cast<std::int64_t>(block));
  EXPECT_EQ(this->disk()->read_now(file, 4 * block, into.bytes()), 0U);
  this->disk()->close(file);
}

TYPED_TEST(DiskTest, a_prepared_file_is_zeros_and_replaces_an_older_one) {
  ASSERT_TRUE(this->disk()->write_file_now(this->path("f"), as_bytes("something else")));
  Probe prepare;
  this->disk()->prepare_file(this->path("f"), 3U << 20, prepare);
  EXPECT_EQ(this->finish(prepare), 0);
  const std::vector<std::byte> bytes = this->disk()->read_file_now(this->path("f")).value();
  EXPECT_EQ(bytes, std::vector<std::byte>(3U << 20));
  const std::vector<DirectoryEntry> names = this->disk()->list(this->kind_.path()).value();
  ASSERT_EQ(names.size(), 1U);
  EXPECT_EQ(names[0].name, "f");
}

TYPED_TEST(DiskTest, renaming_keeps_the_contents_and_open_handles) {
  const FileHandle file = this->prepared("f", 1);
  Probe rename;
  this->disk()->rename_file(this->path("f"), this->path("g"), rename);
  EXPECT_EQ(this->finish(rename), 0);
  EXPECT_EQ(this->disk()->open(this->path("f")).error().code, ErrorCode::not_found);
  AlignedBuffer data(block, std::byte{5});
  EXPECT_TRUE(this->disk()->write_now(file, 0, data.bytes()));
  EXPECT_EQ(this->disk()->read_file_now(this->path("g")).value()[10], std::byte{5});
  this->disk()->close(file);
  Probe missing;
  this->disk()->rename_file(this->path("f"), this->path("g"), missing);
  EXPECT_EQ(this->finish(missing), -ENOENT);
}

TYPED_TEST(DiskTest, removing_forgets_the_name) {
  ASSERT_TRUE(this->disk()->write_file_now(this->path("f"), as_bytes("x")));
  Probe remove;
  this->disk()->remove_file(this->path("f"), remove);
  EXPECT_EQ(this->finish(remove), 0);
  EXPECT_EQ(this->disk()->read_file_now(this->path("f")).error().code, ErrorCode::not_found);
  Probe again;
  this->disk()->remove_file(this->path("f"), again);
  EXPECT_EQ(this->finish(again), -ENOENT);
  EXPECT_EQ(this->disk()->remove_now(this->path("f")).error().code, ErrorCode::not_found);
}

TYPED_TEST(DiskTest, a_large_file_goes_a_piece_at_a_time_and_leaves_nothing) {
  ASSERT_TRUE(this->disk()->prepare_file_now(this->path("large"), 7U << 20));
  Probe remove;
  this->disk()->remove_file(this->path("large"), remove);
  EXPECT_EQ(this->finish(remove), 0);
  for (const std::string& name : {std::string("large"), std::string("large") + temporary_suffix})
    EXPECT_EQ(this->disk()->read_file_now(this->path(name)).error().code, ErrorCode::not_found) << name;
}

TYPED_TEST(DiskTest, a_written_file_replaces_the_old_one_whole) {
  ASSERT_TRUE(this->disk()->write_file_now(this->path("f"), as_bytes("first and longer")));
  Probe write;
  const Bytes second = as_bytes("second");
  this->disk()->write_file(this->path("f"), {second.begin(), second.end()}, write);
  EXPECT_EQ(this->finish(write), 0);
  EXPECT_EQ(as_text(this->disk()->read_file_now(this->path("f")).value()), "second");
  Probe nowhere;
  this->disk()->write_file(this->path("none/f"), {}, nowhere);
  EXPECT_EQ(this->finish(nowhere), -ENOENT);
}

TYPED_TEST(DiskTest, listing_gives_names_in_order_with_sizes) {
  ASSERT_TRUE(this->disk()->make_directories(this->path("a/b")));
  ASSERT_TRUE(this->disk()->make_directories(this->path("a/b/c")));
  ASSERT_TRUE(this->disk()->make_directories(this->path("a/b")));
  ASSERT_TRUE(this->disk()->write_file_now(this->path("a/b/y"), as_bytes("12345")));
  ASSERT_TRUE(this->disk()->prepare_file_now(this->path("a/b/x"), block));
  ASSERT_TRUE(this->disk()->rename_now(this->path("a/b/y"), this->path("a/b/z")));
  const std::vector<DirectoryEntry> entries = this->disk()->list(this->path("a/b")).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "x");
  EXPECT_EQ(entries[0].bytes, block);
  EXPECT_EQ(entries[1].name, "z");
  EXPECT_EQ(entries[1].bytes, 5U);
  EXPECT_EQ(this->disk()->list(this->path("none")).error().code, ErrorCode::not_found);
}

TYPED_TEST(DiskTest, sizes_and_free_space_are_known) {
  const FileHandle file = this->prepared("f", 3);
  EXPECT_EQ(this->disk()->size(file), 3 * block);
  EXPECT_GT(this->disk()->free_bytes(this->path("f")).value(), 3 * block);
  this->disk()->close(file);
  EXPECT_EQ(this->disk()->open(this->path("none")).error().code, ErrorCode::not_found);
}

TYPED_TEST(DiskTest, closing_the_disk_waits_for_what_was_submitted) {
  const FileHandle file = this->prepared("f", 64);
  AlignedBuffer data(block, std::byte{3});
  std::vector<Probe> probes(64);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    this->disk()->write_durable(file, i * block, data.bytes(), probes[i]);
  }
  Probe write;
  this->disk()->write_file(this->path("g"), std::vector<std::byte>(10), write);
  this->disk()->submit();
  this->kind_.disk.reset();
  for (const Probe& probe : probes) EXPECT_FALSE(probe.done());
}

TEST(PosixDisk, a_file_that_does_not_fit_leaves_nothing_behind) {
  const TemporaryDirectory directory(::testing::TempDir());
  const auto disk = make_real_disk({.ring = KernelRing::no}).value();
  const std::string path = directory.path() + "/f";
  const std::uint64_t far_too_much = std::uint64_t{1} << 60;
  const Status prepared = disk->prepare_file_now(path, far_too_much);
  ASSERT_FALSE(prepared);
  EXPECT_TRUE(disk->list(directory.path()).value().empty());
}

TEST(PosixDisk, no_space_is_told_as_such) {
  const TemporaryDirectory directory("/dev/shm");
  const auto disk = make_real_disk({.ring = KernelRing::no}).value();
  const std::uint64_t more = disk->free_bytes(directory.path()).value() + (std::uint64_t{1} << 30);
  const Status prepared = disk->prepare_file_now(directory.path() + "/f", more);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::no_space);
  EXPECT_TRUE(disk->list(directory.path()).value().empty());
}

}  // namespace
}  // namespace weir::runtime
