#include "app/machine.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace weir::app {
namespace {

namespace fs = std::filesystem;

class Machine : public testing::Test {
 protected:
  Machine() {
    std::string pattern = testing::TempDir() + "weir-machine-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~Machine() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  std::string root_;
};

TEST_F(Machine, without_control_groups_the_machine_is_the_limit) {
  EXPECT_GT(usable_memory_bytes(root_), 16U << 20);
  EXPECT_GE(usable_cores(root_), 1U);
}

TEST_F(Machine, the_tightest_group_on_the_way_up_is_the_limit) {
  write("/proc/self/cgroup", "0::/system.slice/weir.service\n");
  write("/sys/fs/cgroup/system.slice/weir.service/memory.max", "max\n");
  write("/sys/fs/cgroup/system.slice/memory.max", "8388608\n");
  EXPECT_EQ(usable_memory_bytes(root_), 8U << 20);
  write("/sys/fs/cgroup/system.slice/weir.service/memory.max", "4194304\n");
  EXPECT_EQ(usable_memory_bytes(root_), 4U << 20);
}

TEST_F(Machine, the_group_at_the_root_counts_in_a_container) {
  write("/proc/self/cgroup", "0::/\n");
  write("/sys/fs/cgroup/memory.max", "1048576\n");
  EXPECT_EQ(usable_memory_bytes(root_), 1U << 20);
}

TEST_F(Machine, the_old_kind_of_memory_group_counts) {
  write("/proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/x\n");
  write("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "2097152\n");
  EXPECT_EQ(usable_memory_bytes(root_), 2U << 20);
}

TEST_F(Machine, a_share_of_time_counts_as_cores_rounded_up) {
  write("/proc/self/cgroup", "0::/x\n");
  write("/sys/fs/cgroup/x/cpu.max", "50000 100000\n");
  EXPECT_EQ(usable_cores(root_), 1U);
  write("/sys/fs/cgroup/x/cpu.max", "max 100000\n");
  EXPECT_EQ(usable_cores(root_), usable_cores("/nowhere"));
}

TEST_F(Machine, files_that_make_no_sense_limit_nothing) {
  write("/proc/self/cgroup", "nonsense\n0::/x\n");
  write("/sys/fs/cgroup/x/memory.max", "lots\n");
  write("/sys/fs/cgroup/x/cpu.max", "\n");
  EXPECT_EQ(usable_memory_bytes(root_), usable_memory_bytes("/nowhere"));
  EXPECT_EQ(usable_cores(root_), usable_cores("/nowhere"));
}

}  // namespace
}  // namespace weir::app
