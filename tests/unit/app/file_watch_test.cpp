#include "app/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace weir::app {
namespace {

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() {
    std::string pattern = testing::TempDir() + "weir-watch-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~FileWatchTest() override { std::filesystem::remove_all(directory_); }
  std::string path(const char* name) const { return directory_ + "/" + name; }
  void write(const char* name, const std::string& text) const { std::ofstream(path(name)) << text; }
  // How often it was told that something has changed, looking once more.
  int look() {
    timers_.advance(timers_.now_ms() + 101);
    return changes_;
  }

  std::string directory_;
  runtime::TimerWheel timers_;
  int changes_ = 0;
};

TEST_F(FileWatchTest, tells_that_a_file_is_another_one_or_has_come_or_gone) {
  write("a", "one");
  const FileWatch watch(timers_, 100, {path("a"), path("b")}, [this] { ++changes_; });
  EXPECT_EQ(look(), 0);
  write("a", "longer");
  EXPECT_EQ(look(), 1);
  EXPECT_EQ(look(), 1);
  write("b", "");
  EXPECT_EQ(look(), 2);
  write("new", "longer");
  std::filesystem::rename(path("new"), path("a"));
  EXPECT_EQ(look(), 3) << "another file of the same size";
  std::filesystem::remove(path("a"));
  std::filesystem::remove(path("b"));
  EXPECT_EQ(look(), 4) << "both at once";
}

}  // namespace
}  // namespace weir::app
