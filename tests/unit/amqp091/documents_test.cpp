#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace weir::amqp091 {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Documents, every_test_that_the_protocols_page_names_exists) {
  const std::filesystem::path tests = WEIR_TESTS_DIR;
  std::string sources;
  for (const auto* folder : {"unit/amqp091", "unit/protocol_common", "unit/broker", "unit/node", "wire"}) {
    for (const auto& entry : std::filesystem::directory_iterator(tests / folder))
      sources += read(entry.path());
  }
  const std::string page = read(tests / "../docs/protocols/amqp091.md");
  const std::regex name("`([A-Z]\\w+)\\.([a-z]\\w+)`");
  std::size_t found = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), name), end; at != end; ++at, ++found) {
    const std::string test = (*at)[1].str() + ", " + (*at)[2].str() + ")";
    EXPECT_NE(sources.find("(" + test), std::string::npos) << at->str();
  }
  EXPECT_GT(found, 40U);
}

}  // namespace
}  // namespace weir::amqp091
