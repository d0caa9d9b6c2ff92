#include "app/setting_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::app {
namespace {

using Kind = WrittenValue::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SettingValue : public testing::Test {
 protected:
  Status set(std::string_view name, std::string text, Kind kind = Kind::untyped) {
    const SettingSpec* spec = find_setting(name);
    EXPECT_NE(spec, nullptr) << name;
    return set_value(settings_, *spec, {kind, std::move(text), {}});
  }
  std::string refusal(std::string_view name, std::string text, Kind kind = Kind::untyped) {
    const Status status = set(name, std::move(text), kind);
    return status ? "accepted" : status.error().message;
  }
  Settings settings_ = default_settings();
};

TEST_F(SettingValue, defaults_are_those_that_the_documents_name) {
  EXPECT_EQ(settings_.listen_amqp, "0.0.0.0:5672");
  EXPECT_EQ(settings_.listen_kafka, "");
  EXPECT_EQ(settings_.amqp_frame_max, 131072U);
  EXPECT_EQ(settings_.message_bytes_max, 16U << 20);
  EXPECT_DOUBLE_EQ(settings_.memory_high_watermark.fraction, 0.6);
  EXPECT_EQ(settings_.disk_free_min.bytes, 1U << 30);
  EXPECT_THAT(settings_.loopback_users, ElementsAre("guest"));
  EXPECT_THAT(settings_.default_permissions, ElementsAre(".*", ".*", ".*"));
  EXPECT_FALSE(settings_.tls_require_client_certificate);
}

TEST_F(SettingValue, integers_keep_to_their_range) {
  EXPECT_TRUE(set("shards", "64"));
  EXPECT_EQ(settings_.shards, 64U);
  EXPECT_EQ(refusal("shards", "65"), "\"65\" is not allowed; allowed is: integer, 0 to 64");
  EXPECT_THAT(refusal("shards", "-1"), HasSubstr("not allowed"));
  EXPECT_THAT(refusal("shards", ""), HasSubstr("not allowed"));
  EXPECT_THAT(refusal("shards", "2 "), HasSubstr("not allowed"));
  EXPECT_EQ(settings_.shards, 64U);
}

TEST_F(SettingValue, durations_are_read_in_the_unit_of_the_name) {
  EXPECT_TRUE(set("amqp.heartbeat_s", "5"));
  EXPECT_EQ(settings_.amqp_heartbeat_s, 5U);
  EXPECT_TRUE(set("amqp.heartbeat_s", "2m"));
  EXPECT_EQ(settings_.amqp_heartbeat_s, 120U);
  EXPECT_TRUE(set("amqp.handshake_timeout_ms", "3s"));
  EXPECT_EQ(settings_.amqp_handshake_timeout_ms, 3000U);
  EXPECT_THAT(refusal("amqp.heartbeat_s", "1500ms"), HasSubstr("not allowed"));
  EXPECT_THAT(refusal("amqp.heartbeat_s", "10 years"), HasSubstr("not allowed"));
  EXPECT_THAT(refusal("amqp.heartbeat_s", "5124095576030431h"), HasSubstr("not allowed"));
}

TEST_F(SettingValue, bytes_keep_to_their_range) {
  EXPECT_TRUE(set("limits.message_bytes_max", "1MiB"));
  EXPECT_EQ(settings_.message_bytes_max, 1U << 20);
  EXPECT_THAT(refusal("limits.message_bytes_max", "513MiB"), HasSubstr("1 KiB to 512 MiB"));
}

TEST_F(SettingValue, a_watermark_is_bytes_or_a_share) {
  EXPECT_TRUE(set("memory.high_watermark", "2GiB"));
  EXPECT_EQ(settings_.memory_high_watermark.of(1000), 2U << 30);
  EXPECT_TRUE(set("memory.high_watermark", "0.25", Kind::floating));
  EXPECT_EQ(settings_.memory_high_watermark.of(1000), 250U);
  EXPECT_THAT(refusal("memory.high_watermark", "1.5"), HasSubstr("share"));
  EXPECT_THAT(refusal("memory.high_watermark", "0.0"), HasSubstr("share"));
  EXPECT_THAT(refusal("memory.high_watermark", "nan"), HasSubstr("share"));
  EXPECT_THAT(refusal("memory.high_watermark", "1MiB"), HasSubstr("at least 64 MiB"));
  EXPECT_TRUE(set("disk.free_min", "0"));
  EXPECT_EQ(settings_.disk_free_min.of(1000), 0U);
}

TEST_F(SettingValue, a_choice_is_one_of_its_words) {
  EXPECT_TRUE(set("log.level", "warning"));
  EXPECT_EQ(refusal("log.level", "loud"),
            "\"loud\" is not allowed; allowed is: debug, info, warning or error");
  EXPECT_THAT(refusal("log.level", "debug|info"), HasSubstr("not allowed"));
  EXPECT_THAT(refusal("log.level", ""), HasSubstr("not allowed"));
}

TEST_F(SettingValue, addresses_have_a_port) {
  EXPECT_TRUE(set("listeners.amqp", "127.0.0.1:0"));
  EXPECT_EQ(settings_.listen_amqp, "127.0.0.1:0");
  EXPECT_TRUE(set("listeners.amqp", "[::1]:5672"));
  EXPECT_TRUE(set("listeners.amqp", ":5672"));
  EXPECT_TRUE(set("listeners.amqp", "broker.example:5672"));
  EXPECT_TRUE(set("listeners.amqp", "5673", Kind::integer));
  EXPECT_EQ(settings_.listen_amqp, "0.0.0.0:5673");
  EXPECT_TRUE(set("listeners.amqp", ""));
  EXPECT_EQ(settings_.listen_amqp, "");
  for (const char* text :
       {"localhost", "localhost:", "localhost:65536", "::1:5672", "http://x:1", "a b:1", "[]:1"}) {
    EXPECT_THAT(refusal("listeners.amqp", text), HasSubstr("is not an address")) << text;
  }
}

TEST_F(SettingValue, a_protocol_that_is_not_built_says_so_only_when_it_is_switched_on) {
  EXPECT_TRUE(set("listeners.kafka", ""));
  EXPECT_EQ(refusal("listeners.kafka", ":9092"), "this build doesn't serve kafka yet");
}

TEST_F(SettingValue, lists_are_written_with_commas_or_as_toml) {
  EXPECT_TRUE(set("loopback_users", "guest,bob"));
  EXPECT_THAT(settings_.loopback_users, ElementsAre("guest", "bob"));
  EXPECT_TRUE(set("loopback_users", ""));
  EXPECT_THAT(settings_.loopback_users, IsEmpty());
  EXPECT_TRUE(set("default_permissions", R"(["a,b", "", ".*"])"));
  EXPECT_THAT(settings_.default_permissions, ElementsAre("a,b", "", ".*"));
  EXPECT_TRUE(set("loopback_users", "[]"));
  EXPECT_THAT(settings_.loopback_users, IsEmpty());
  EXPECT_THAT(refusal("loopback_users", "[1]"), HasSubstr("not a list of strings"));
  EXPECT_THAT(refusal("loopback_users", "[\"a\"]\nshards = 1"), HasSubstr("not a list of strings"));
}

TEST_F(SettingValue, a_toml_value_must_be_of_the_right_kind) {
  EXPECT_THAT(refusal("shards", "2", Kind::string), HasSubstr("integer"));
  EXPECT_THAT(refusal("default_pass", "1234", Kind::integer), HasSubstr("string"));
  EXPECT_THAT(refusal("tls.require_client_certificate", "true", Kind::string), HasSubstr("true or false"));
  EXPECT_THAT(refusal("loopback_users", "guest", Kind::string), HasSubstr("list of strings"));
  EXPECT_EQ(refusal("log.level", "", Kind::other),
            "this type of value is not allowed; allowed is: debug, info, warning or error");
}

}  // namespace
}  // namespace weir::app
