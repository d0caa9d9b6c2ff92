#include "app/settings_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace weir::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LoadSettings : public testing::Test {
 protected:
  LoadSettings() {
    std::string pattern = testing::TempDir() + "weir-settings-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    sources_.config_file = directory_ + "/weir.toml";
  }
  ~LoadSettings() override { std::filesystem::remove_all(directory_); }

  LoadedSettings load(const std::string& text) {
    std::ofstream(sources_.config_file) << text;
    return load_settings(sources_);
  }
  // What is told about the file, without its path.
  std::vector<std::string> problems(const std::string& text) {
    std::vector<std::string> found = load(text).problems;
    for (std::string& problem : found) {
      if (problem.starts_with(directory_)) problem.erase(0, directory_.size() + 1);
    }
    return found;
  }

  std::string directory_;
  SettingSources sources_;
};

TEST_F(LoadSettings, tables_and_dotted_names_are_the_same) {
  const auto loaded = load("shards = 2\nlog.level = \"debug\"\n[listeners]\namqp = \"127.0.0.1:0\"\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings.shards, 2U);
  EXPECT_EQ(loaded.settings.log_level, "debug");
  EXPECT_EQ(loaded.settings.listen_amqp, "127.0.0.1:0");
}

TEST_F(LoadSettings, an_unknown_setting_is_refused_with_its_line_and_a_suggestion) {
  EXPECT_THAT(
      problems("shards = 1\n[listeners]\nampq = \":1\"\n"),
      ElementsAre("weir.toml:3: unknown setting \"listeners.ampq\": did you mean \"listeners.amqp\"?"));
  EXPECT_THAT(problems("wibble = 1\n"),
              ElementsAre("weir.toml:1: unknown setting \"wibble\" (`weir settings` lists them)"));
}

TEST_F(LoadSettings, logins_by_token_need_what_tokens_are_verified_by) {
  const std::string oauth2 = "auth.backends = [\"oauth2\"]\n";
  const std::string needed = "oauth2.jwks_file = \"k\"\noauth2.resource_server_id = \"r\"\n";
  EXPECT_THAT(problems(oauth2 + needed), IsEmpty());
  EXPECT_THAT(
      problems(oauth2),
      ElementsAre("auth.backends names oauth2, which needs oauth2.jwks_file and oauth2.resource_server_id"));
  EXPECT_THAT(problems(oauth2 + needed + "oauth2.algorithms = [\"RS256\", \"none\"]\n"),
              ElementsAre(HasSubstr("\"none\" is not an algorithm that tokens can be verified by")));
  for (const char* backends : {"[]", "[\"ldap\"]", "[\"internal\", \"internal\"]"}) {
    EXPECT_THAT(problems(std::string("auth.backends = ") + backends + "\n"),
                ElementsAre(HasSubstr("auth.backends: internal and oauth2")))
        << backends;
  }
}

TEST_F(LoadSettings, a_group_that_is_given_a_value_is_explained) {
  EXPECT_THAT(problems("memory = 5\n"),
              ElementsAre("weir.toml:1: \"memory\" is a group of settings: memory.high_watermark"));
}

TEST_F(LoadSettings, a_bad_value_is_refused_with_its_line_and_what_is_allowed) {
  EXPECT_THAT(problems("\nshards = 65\n"),
              ElementsAre("weir.toml:2: shards: \"65\" is not allowed; allowed is: integer, 0 to 64"));
  EXPECT_THAT(problems("listeners.kafka = \":9092\"\n"),
              ElementsAre("weir.toml:1: listeners.kafka: this build doesn't serve kafka yet"));
}

TEST_F(LoadSettings, everything_that_is_wrong_is_told_in_the_order_of_the_lines) {
  EXPECT_THAT(problems("shards = 65\nwibble = 1\n[log]\nformat = 7\n"),
              ElementsAre(HasSubstr("weir.toml:1:"), HasSubstr("weir.toml:2:"), HasSubstr("weir.toml:4:")));
}

TEST_F(LoadSettings, a_text_that_is_no_toml_is_refused_with_its_line) {
  EXPECT_THAT(problems("shards = 1\nlog.level =\n"), ElementsAre(HasSubstr("weir.toml:2: ")));
  EXPECT_THAT(problems("shards = 1\nshards = 2\n"),
              ElementsAre("weir.toml:2: value (\"shards\") already exists."));
  EXPECT_THAT(problems(std::string(2 << 20, '#')), ElementsAre(HasSubstr("not a configuration file")));
}

TEST_F(LoadSettings, a_missing_file_is_refused) {
  EXPECT_THAT(load_settings(sources_).problems, ElementsAre(HasSubstr("No such file or directory")));
}

TEST_F(LoadSettings, the_environment_overrides_the_file_and_the_command_line_overrides_both) {
  sources_.environment = {{"WEIR_SHARDS", "3"}, {"WEIR_LOG_LEVEL", "error"}, {"WEIR_LISTENERS_AMQP", ":0"}};
  sources_.assignments = {"log.level=warning"};
  const auto loaded = load("shards = 2\nlog.level = \"debug\"\nlog.format = \"json\"\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings.shards, 3U);
  EXPECT_EQ(loaded.settings.log_level, "warning");
  EXPECT_EQ(loaded.settings.log_format, "json");
  EXPECT_EQ(loaded.settings.listen_amqp, ":0");
}

TEST_F(LoadSettings, a_value_from_outside_the_file_is_refused_with_where_it_came_from) {
  sources_.environment = {{"WEIR_SHARDS", "many"}};
  sources_.assignments = {"log.levle=debug", "log.level"};
  EXPECT_THAT(load("").problems,
              ElementsAre(HasSubstr("WEIR_SHARDS: shards: \"many\" is not allowed"),
                          "--set: unknown setting \"log.levle\": did you mean \"log.level\"?",
                          "--set log.level: write key=value"));
}

TEST_F(LoadSettings, a_variable_that_is_nearly_a_setting_is_worth_a_warning) {
  sources_.environment = {{"WEIR_SHARD", "3"}, {"WEIR_BINARY", "/bin/weir"}, {"STATE_DIRECTORY", "/s"}};
  const auto loaded = load("");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.warnings,
              ElementsAre("the environment's WEIR_SHARD is not a setting: did you mean WEIR_SHARDS?"));
}

TEST_F(LoadSettings, a_value_may_hold_an_equals_sign) {
  sources_.assignments = {"default_pass=a=b"};
  EXPECT_EQ(load("").settings.default_pass, "a=b");
}

TEST_F(LoadSettings, the_data_directory_is_the_options_then_the_settings_then_systemds_then_the_default) {
  EXPECT_EQ(load("").settings.data_dir, "./weir-data");
  sources_.environment = {{"STATE_DIRECTORY", "/var/lib/weir:/var/lib/other"}};
  EXPECT_EQ(load("").settings.data_dir, "/var/lib/weir");
  EXPECT_EQ(load("data_dir = \"/srv/weir\"\n").settings.data_dir, "/srv/weir");
  sources_.data_dir = "/tmp/weir";
  EXPECT_EQ(load("data_dir = \"/srv/weir\"\n").settings.data_dir, "/tmp/weir");
}

TEST_F(LoadSettings, settings_that_need_each_other_are_checked_together) {
  EXPECT_THAT(problems("listeners.amqps = \":5671\"\n"),
              ElementsAre("listeners.amqps needs tls.certificate_file and tls.key_file"));
  EXPECT_THAT(problems("tls.key_file = \"k\"\n"),
              ElementsAre("tls.certificate_file and tls.key_file belong together: set both"));
  EXPECT_THAT(problems("tls.require_client_certificate = true\n"),
              ElementsAre("tls.require_client_certificate needs tls.ca_file"));
  EXPECT_THAT(problems("default_permissions = [\".*\"]\n"),
              ElementsAre(HasSubstr("three regular expressions")));
}

}  // namespace
}  // namespace weir::app
