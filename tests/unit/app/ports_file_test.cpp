#include "app/ports_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace weir::app {
namespace {

TEST(PortsFile, ports_are_one_json_object) {
  EXPECT_EQ(ports_as_json({}), "{}\n");
  EXPECT_EQ(ports_as_json({{"amqp", 41233}, {"amqps", 1}}), "{\"amqp\": 41233, \"amqps\": 1}\n");
}

TEST(PortsFile, the_file_appears_whole_and_leaves_nothing_beside_it) {
  std::string pattern = testing::TempDir() + "weir-ports-XXXXXX";
  const std::string directory = ::mkdtemp(pattern.data());
  const std::string path = directory + "/ports.json";
  std::ofstream(path) << "of the last run, and longer than what comes now";
  ASSERT_TRUE(write_ports_file(path, {{"amqp", 5672}}));
  std::ifstream file(path);
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()}),
            "{\"amqp\": 5672}\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
  std::filesystem::remove_all(directory);
}

TEST(PortsFile, a_directory_that_is_not_there_is_an_io_error) {
  const Status status = write_ports_file("/nowhere/at/all/ports.json", {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::io_error);
}

}  // namespace
}  // namespace weir::app
