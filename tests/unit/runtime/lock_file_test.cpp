#include "runtime/lock_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace weir::runtime {
namespace {

using testing::HasSubstr;

class LockFileTest : public testing::Test {
 protected:
  LockFileTest() {
    std::string pattern = testing::TempDir() + "weir-lock-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LockFileTest() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(LockFileTest, a_second_holder_is_refused_with_the_directory_and_the_first_ones_process) {
  const auto first = LockFile::acquire(directory_);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = LockFile::acquire(directory_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::locked);
  EXPECT_THAT(second.error().message, HasSubstr(directory_));
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(LockFileTest, it_is_free_again_when_the_holder_is_gone) {
  std::optional<LockFile> first = std::move(*LockFile::acquire(directory_));
  first.reset();
  EXPECT_TRUE(LockFile::acquire(directory_));
}

TEST_F(LockFileTest, moving_it_keeps_it_held) {
  auto first = LockFile::acquire(directory_);
  ASSERT_TRUE(first);
  const LockFile moved = std::move(*first);
  EXPECT_FALSE(LockFile::acquire(directory_));
}

TEST_F(LockFileTest, what_is_left_in_the_file_by_a_killed_server_does_not_matter) {
  std::ofstream(directory_ + "/node.lock") << "4194304 and more words than a process id has\n";
  auto first = LockFile::acquire(directory_);
  ASSERT_TRUE(first);
  const auto second = LockFile::acquire(directory_);
  EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(LockFileTest, a_missing_directory_is_an_io_error) {
  const auto lock = LockFile::acquire(directory_ + "/missing");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::io_error);
}

}  // namespace
}  // namespace weir::runtime
