#include "app/settings_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "app/settings_table.h"
#include "app/toml_file.h"

namespace weir::app {
namespace {

TEST(SettingsReference, the_page_in_the_repository_is_the_one_that_the_table_gives) {
  std::ifstream file(WEIR_TESTS_DIR "/../docs/settings.md");
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(page, settings_as_markdown()) << "write it anew: weir settings --markdown > docs/settings.md";
}

TEST(SettingsReference, the_sample_file_is_toml_with_every_setting_at_its_default) {
  std::istringstream lines(settings_as_toml());
  std::string uncommented;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#') && !line.starts_with("# ")) uncommented += line.substr(1) + "\n";
  }
  const auto entries = parse_toml(uncommented, "sample");
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_EQ(entries->size(), settings_table().size());
  for (const TomlEntry& entry : *entries) {
    const SettingSpec* spec = find_setting(entry.name);
    ASSERT_NE(spec, nullptr) << entry.name;
    Settings settings;
    const Status status = set_value(settings, *spec, entry.written);
    EXPECT_TRUE(status) << entry.name << ": " << status.error().message;
  }
}

TEST(SettingsReference, names_in_the_environment_are_unique) {
  std::set<std::string> names;
  for (const SettingSpec& spec : settings_table()) {
    EXPECT_TRUE(names.insert(environment_name(spec)).second) << spec.name;
  }
  EXPECT_TRUE(names.contains("WEIR_LISTENERS_AMQP"));
}

}  // namespace
}  // namespace weir::app
