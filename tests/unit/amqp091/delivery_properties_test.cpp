#include "protocol/amqp091/delivery_properties.h"

#include <gtest/gtest.h>

#include "broker/death_history.h"
#include "broker/message_extras.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/field_table.h"

namespace weir::amqp091 {

namespace {

class DeliveryProperties : public testing::Test {
 protected:
  DeliveryProperties() {
    message.native = broker::NativeForm::amqp091;
    const std::vector<std::byte> table =
        encode_table(FieldTable().add("mine", std::int32_t{7}).add("x-death", "forged"));
    Properties properties;
    properties.content_type = "text/plain";
    properties.expiration = "500";
    properties.headers = TableBytes{table};
    append_properties(raw, properties);
    message.properties = raw;
  }
  void die(const std::string& queue, broker::DeathReason reason) {
    broker::Death death;
    death.reason = reason;
    death.queue = queue;
    death.exchange = "ex";
    death.routing_key = "key";
    death.time_ms = 1'700'000'000'999;
    death.ttl_ms = 500;
    history.record(death);
    deaths = broker::encode_deaths(history);
    broker::MessageExtras of;
    of.deaths = deaths;
    extras.clear();
    broker::append_extras(extras, of);
    message.extras = extras;
  }
  FieldTable sent(std::uint16_t returns = 0) {
    const Bytes properties = delivery_properties(message, returns, std::nullopt, {}, scratch);
    EXPECT_TRUE(validate_properties(properties).has_value());
    view = properties_of(PropertiesView(properties));
    return view.headers ? *decode_table(view.headers->content) : FieldTable();
  }

  broker::StoredMessage message;
  broker::DeathHistory history;
  std::vector<std::byte> raw, deaths, extras, scratch;
  Properties view;
};

}  // namespace

TEST_F(DeliveryProperties, are_those_of_the_publisher_where_there_is_nothing_to_tell) {
  EXPECT_EQ(delivery_properties(message, 0, std::nullopt, {}, scratch).data(), raw.data());
  broker::MessageExtras of;
  of.ttl_ms = 500;
  broker::append_extras(extras, of);
  message.extras = extras;
  EXPECT_EQ(delivery_properties(message, 0, std::nullopt, {}, scratch).data(), raw.data());
}

TEST_F(DeliveryProperties, tell_how_a_message_died) {
  die("first", broker::DeathReason::expired);
  die("second", broker::DeathReason::rejected);
  const FieldTable headers = sent();
  EXPECT_EQ(view.content_type, "text/plain");
  EXPECT_FALSE(view.expiration.has_value());
  EXPECT_EQ(*headers.find("mine"), FieldValue(std::int32_t{7}));
  EXPECT_EQ(*headers.find("x-first-death-queue"), FieldValue("first"));
  EXPECT_EQ(*headers.find("x-first-death-reason"), FieldValue("expired"));
  EXPECT_EQ(*headers.find("x-first-death-exchange"), FieldValue("ex"));
  EXPECT_EQ(*headers.find("x-last-death-queue"), FieldValue("second"));
  EXPECT_EQ(*headers.find("x-last-death-reason"), FieldValue("rejected"));
  const auto& all = std::get<FieldArray>(headers.find("x-death")->value).values;
  ASSERT_EQ(all.size(), 2U);
  const auto& oldest = std::get<FieldTable>(all[1].value);
  EXPECT_EQ(*oldest.find("queue"), FieldValue("first"));
  EXPECT_EQ(*oldest.find("reason"), FieldValue("expired"));
  EXPECT_EQ(*oldest.find("count"), FieldValue(std::int64_t{1}));
  EXPECT_EQ(*oldest.find("exchange"), FieldValue("ex"));
  EXPECT_EQ(*oldest.find("time"), FieldValue(Timestamp{1'700'000'000}));
  EXPECT_EQ(*oldest.find("original-expiration"), FieldValue("500"));
  const auto& keys = std::get<FieldArray>(oldest.find("routing-keys")->value).values;
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0], FieldValue("key"));
}

TEST_F(DeliveryProperties, tell_how_often_a_message_came_back) {
  const FieldTable headers = sent(3);
  EXPECT_EQ(*headers.find("x-delivery-count"), FieldValue(std::int64_t{3}));
  EXPECT_EQ(*headers.find("x-death"), FieldValue("forged"));
  EXPECT_EQ(view.expiration, "500");
}

TEST_F(DeliveryProperties, of_a_message_without_any_are_made) {
  message.properties = no_properties;
  EXPECT_EQ(sent(1).entries.size(), 1U);
  message.native = broker::NativeForm::none;
  message.properties = {};
  EXPECT_EQ(sent(1).entries.size(), 1U);
}

TEST_F(DeliveryProperties, tell_that_a_message_has_waited) {
  const auto wait_with = [&](FieldValue delay) {
    const std::vector<std::byte> table =
        encode_table(FieldTable().add("mine", 1).add("x-delay", std::move(delay)));
    Properties properties;
    properties.headers = TableBytes{table};
    raw.clear();
    append_properties(raw, properties);
    message.properties = raw;
    broker::MessageExtras of;
    of.deliver_ms = 1'700'000'000'000;
    extras.clear();
    broker::append_extras(extras, of);
    message.extras = extras;
    const FieldTable headers = sent();
    EXPECT_EQ(headers.entries.size(), 2U);
    return headers.entries.back().value;
  };
  EXPECT_EQ(wait_with(std::int64_t{5'000}), FieldValue(std::int32_t{-5'000}));
  EXPECT_EQ(wait_with("1500"), FieldValue(std::int32_t{-1'500}));
  EXPECT_EQ(wait_with(std::int64_t{5'000'000'000}), FieldValue(std::int64_t{-5'000'000'000}));
}

TEST_F(DeliveryProperties, of_another_protocol_have_its_time_to_live_and_a_correlation_id_however_long) {
  message.native = broker::NativeForm::mqtt;
  broker::MessageExtras of;
  of.ttl_ms = 5'000;
  broker::append_extras(extras, of);
  message.extras = extras;
  node::HeadersOf forms;
  forms.properties = [](broker::NativeForm, Bytes) {
    broker::Table table;
    table.append("correlation_id", {std::string(300, 'c')});
    table.append("content_type", {std::string("\xff")});
    return table;
  };
  const Bytes properties = delivery_properties(message, 0, std::nullopt, forms, scratch);
  ASSERT_TRUE(validate_properties(properties).has_value());
  view = properties_of(PropertiesView(properties));
  EXPECT_EQ(view.expiration, "5000");
  EXPECT_FALSE(view.correlation_id || view.content_type);
  EXPECT_EQ(*decode_table(view.headers->content),
            FieldTable().add("x-correlation-id", std::string(300, 'c')));
}

}  // namespace weir::amqp091
