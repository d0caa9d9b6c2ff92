#include "unit/amqp091_codec/client_streams.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/amqp091/codec/content_frames.h"
#include "protocol/amqp091/codec/field_table.h"
#include "protocol/amqp091/codec/methods.h"
#include "unit/amqp091_codec/wire_bytes.h"

namespace weir::amqp091 {
namespace {

// Takes a stream apart, encodes again what it finds, and keeps what the tests look at. The values view into
// `input`.
struct Session {
  std::vector<std::string_view> names;
  std::vector<Method> methods;
  std::vector<ContentHeader> headers;
  std::string bodies;
  std::vector<std::byte> encoded;

  explicit Session(Bytes input) { take_all(input); }

  void take_all(Bytes input) {
    while (!input.empty()) {
      const auto decoded = decode_frame(input, frame_max_default);
      ASSERT_EQ(decoded.answer, DecodedFrame::Answer::frame) << decoded.error.text;
      take(decoded.frame);
      input = input.subspan(decoded.bytes);
    }
  }

  void take(const Frame& frame) {
    switch (frame.type) {
      case FrameType::method: take_method(frame); break;
      case FrameType::header: {
        const auto header = decode_content_header(frame.payload);
        ASSERT_TRUE(header);
        headers.push_back(*header);
        break;
      }
      case FrameType::body:
        bodies += as_text(frame.payload);
        append_content_frames(encoded, frame.channel, headers.back().raw_properties, frame.payload,
                              frame_max_default);
        break;
      case FrameType::heartbeat: FAIL(); break;
    }
  }

  void take_method(const Frame& frame) {
    const auto method = decode_method(frame.payload);
    ASSERT_TRUE(method) << method.error().text;
    EXPECT_NE(info_of(*method).sender, Sender::server);
    names.push_back(info_of(*method).name);
    methods.push_back(*method);
    append_any_method_frame(encoded, frame.channel, *method);
  }

  template <AnyMethod M>
  M only() const {
    for (const Method& method : methods) {
      if (const auto* found = std::get_if<M>(&method)) return *found;
    }
    ADD_FAILURE() << "no " << M::info.name;
    return {};
  }
};

TEST(ClientStreams, pika_is_understood_and_encoded_again_to_the_same_bytes) {
  const auto stream = from_hex(pika_stream_hex);
  ASSERT_EQ(decode_protocol_header(stream), ProtocolHeaderAnswer::accepted);
  const Bytes frames = Bytes(stream).subspan(protocol_header_bytes);
  const Session session(frames);
  EXPECT_EQ(to_hex(session.encoded), to_hex(frames));
  EXPECT_EQ(session.names,
            (std::vector<std::string_view>{"connection.start-ok", "connection.tune-ok", "connection.open",
                                           "channel.open", "queue.declare", "queue.bind", "confirm.select",
                                           "basic.publish", "basic.qos", "basic.consume", "basic.ack",
                                           "basic.cancel", "channel.close", "connection.close"}));

  const auto start_ok = session.only<ConnectionStartOk>();
  EXPECT_EQ(start_ok.mechanism, "PLAIN");
  EXPECT_EQ(start_ok.response.value, std::string_view("\0guest\0guest", 12));
  const auto capabilities = find_in_table(start_ok.client_properties.content, "capabilities");
  ASSERT_TRUE(capabilities);
  const auto nack = find_in_table(*capabilities->as_table(), "basic.nack");
  ASSERT_TRUE(nack);
  EXPECT_EQ(nack->as_bool(), true);

  EXPECT_EQ(session.only<ConnectionTuneOk>(),
            (ConnectionTuneOk{.channel_max = 2047, .frame_max = 131'072, .heartbeat_s = 60}));
  const auto declare = session.only<QueueDeclare>();
  EXPECT_EQ(declare.queue, "orders");
  EXPECT_TRUE(declare.durable);
  EXPECT_EQ(find_in_table(declare.arguments.content, "x-max-length")->as_integer(), 1000);
  EXPECT_EQ(find_in_table(declare.arguments.content, "x-dead-letter-exchange")->as_text(), "dlx");
  EXPECT_EQ(session.only<BasicPublish>(),
            (BasicPublish{.exchange = "amq.topic", .routing_key = "orders.eu", .mandatory = true}));
  EXPECT_EQ(session.only<BasicQos>(), BasicQos{.prefetch_count = 50});
  EXPECT_EQ(session.only<BasicAck>(), BasicAck{.delivery_tag = 1});
}

TEST(ClientStreams, the_properties_that_pika_sends_are_found) {
  const auto stream = from_hex(pika_stream_hex);
  const Session session(Bytes(stream).subspan(protocol_header_bytes));
  EXPECT_EQ(session.bodies, R"({"id":1})");
  ASSERT_EQ(session.headers.size(), 1U);
  EXPECT_EQ(session.headers[0].body_bytes, session.bodies.size());
  const PropertiesView properties(session.headers[0].raw_properties);
  EXPECT_EQ(properties.content_type(), "application/json");
  EXPECT_TRUE(properties.persistent());
  EXPECT_EQ(properties.correlation_id(), "c-1");
  EXPECT_EQ(properties.timestamp_s(), 1'700'000'000U);
  EXPECT_FALSE(properties.has(Property::user_id));
  ASSERT_TRUE(properties.headers());
  const auto headers = decode_table(properties.headers()->content);
  ASSERT_TRUE(headers);
  EXPECT_EQ(*headers, FieldTable().add("tenant", "acme").add("retry", 3).add("ok", true));
}

TEST(ClientStreams, librabbitmq_is_understood_and_encoded_again_to_the_same_bytes) {
  const auto stream = from_hex(librabbitmq_stream_hex);
  const Session session(stream);
  EXPECT_EQ(to_hex(session.encoded), to_hex(stream));
  const auto declare = session.only<QueueDeclare>();
  EXPECT_EQ(find_in_table(declare.arguments.content, "x-message-ttl")->as_integer(), 60'000);
  EXPECT_EQ(find_in_table(declare.arguments.content, "big")->as_integer(), -1);
  EXPECT_EQ(session.only<BasicPublish>(), (BasicPublish{.routing_key = "orders", .mandatory = true}));
  EXPECT_EQ(session.only<BasicAck>(), (BasicAck{.delivery_tag = 7, .multiple = true}));
  EXPECT_EQ(session.only<BasicNack>(), (BasicNack{.delivery_tag = 8, .requeue = true}));
  EXPECT_EQ(session.only<BasicReject>(), BasicReject{.delivery_tag = 9});
  EXPECT_EQ(session.bodies, "hello");
  EXPECT_EQ(PropertiesView(session.headers.at(0).raw_properties).message_id(), "m-1");
}

TEST(ClientStreams, arriving_one_byte_at_a_time_give_the_same_frames) {
  for (const std::string_view hex :
       {pika_stream_hex.substr(2 * protocol_header_bytes), librabbitmq_stream_hex}) {
    const auto stream = from_hex(hex);
    std::vector<std::byte> again;
    std::size_t begin = 0;
    for (std::size_t end = 0; end <= stream.size(); ++end) {
      const auto decoded = decode_frame(exact(Bytes(stream).subspan(begin, end - begin)), frame_max_default);
      ASSERT_NE(decoded.answer, DecodedFrame::Answer::error);
      if (decoded.answer == DecodedFrame::Answer::need_more) {
        EXPECT_GT(decoded.bytes, end - begin);
        continue;
      }
      ASSERT_EQ(decoded.bytes, end - begin);
      again.insert(again.end(), stream.begin() + static_cast<std::ptrdiff_t>(begin),
                   stream.begin() + static_cast<std::ptrdiff_t>(end));
      begin = end;
    }
    EXPECT_EQ(to_hex(again), to_hex(stream));
  }
}

}  // namespace
}  // namespace weir::amqp091
