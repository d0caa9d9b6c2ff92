#include "protocol/amqp091/codec/methods.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <string>

#include "protocol/amqp091/codec/field_table.h"
#include "unit/amqp091_codec/method_layouts.h"
#include "unit/amqp091_codec/wire_bytes.h"

namespace weir::amqp091 {
namespace {

// Gives each argument the value that method_layouts.h promises for its place, and notes its type.
class Filler {
 public:
  void operator()(auto&... arguments) { (fill(arguments), ...); }
  const std::string& types() const { return types_; }

 private:
  template <std::unsigned_integral T>
  void fill(T& value) {
    constexpr std::string_view names[] = {"octet", "short", "", "long", "", "", "", "longlong"};
    note(names[sizeof(T) - 1]);
    const std::uint64_t base = sizeof(T) == 1 ? 0 : std::uint64_t{1} << (sizeof(T) * 4);
    value = static_cast<T>(base + index_);
  }
  void fill(bool& value) {
    note("bit");
    value = index_ % 2 == 1;
  }
  void fill(std::string_view& value) {
    note("shortstr");
    value = texts_.emplace_back("s" + std::to_string(index_));
  }
  void fill(LongString& value) {
    note("longstr");
    value.value = texts_.emplace_back("long" + std::to_string(index_));
  }
  void fill(TableBytes& value) {
    note("table");
    value.content = tables_.emplace_back(encode_table(FieldTable().add("k", index_)));
  }
  void note(std::string_view type) {
    ++index_;
    if (!types_.empty()) types_ += ' ';
    types_ += type;
  }

  int index_ = 0;
  std::string types_;
  std::deque<std::string> texts_;
  std::deque<std::vector<std::byte>> tables_;
};

const MethodLayout* layout_of(std::string_view name) {
  for (const MethodLayout& layout : method_layouts) {
    if (layout.name == name) return &layout;
  }
  return nullptr;
}

template <AnyMethod M>
std::vector<std::byte> payload_of(const M& method) {
  std::vector<std::byte> frame;
  append_method_frame(frame, 1, method);
  return {frame.begin() + frame_header_bytes, frame.end() - 1};
}

template <AnyMethod M>
void check_layout() {
  SCOPED_TRACE(M::info.name);
  const MethodLayout* layout = layout_of(M::info.name);
  ASSERT_NE(layout, nullptr);

  M method;
  Filler filler;
  M::fields(method, filler);
  EXPECT_EQ(filler.types(), layout->arguments);

  const auto payload = payload_of(method);
  EXPECT_EQ(to_hex(payload), layout->payload_hex);
  EXPECT_EQ(method_payload_bytes(method), payload.size());
  EXPECT_EQ(method_id_of(payload), M::info.id);

  const auto decoded = decode_as<M>(payload);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, method);

  const auto any = decode_method(payload);
  ASSERT_TRUE(any);
  EXPECT_EQ(*any, Method(method));
  EXPECT_EQ(&info_of(*any), &M::info);
  ASSERT_NE(find_method(M::info.id), nullptr);
  EXPECT_EQ(find_method(M::info.id)->name, M::info.name);

  std::vector<std::byte> frame;
  append_any_method_frame(frame, 0x0203, *any);
  const auto taken = decode_frame(frame, frame_max_default);
  ASSERT_EQ(taken.answer, DecodedFrame::Answer::frame);
  EXPECT_EQ(taken.bytes, frame.size());
  EXPECT_EQ(taken.frame.channel, 0x0203);
  EXPECT_EQ(to_hex(taken.frame.payload), layout->payload_hex);
}

template <AnyMethod M>
void check_lengths() {
  SCOPED_TRACE(M::info.name);
  M method;
  Filler filler;
  M::fields(method, filler);
  const auto payload = payload_of(method);
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const auto decoded = decode_method(exact(Bytes(payload).first(size)));
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().code, ReplyCode::frame_error) << size;
  }
  auto longer = payload;
  longer.push_back(std::byte{0});
  const auto decoded = decode_method(longer);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ReplyCode::frame_error);
}

template <AnyMethod M>
void check_defaults() {
  SCOPED_TRACE(M::info.name);
  const auto payload = payload_of(M{});
  const auto decoded = decode_as<M>(payload);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, M{});
}

template <typename... M>
void for_each_method(const std::variant<M...>*, auto check) {
  (check.template operator()<M>(), ...);
}
constexpr const Method* every_method = nullptr;

TEST(Methods, the_two_descriptions_name_the_same_methods) {
  EXPECT_EQ(std::size(method_layouts), std::variant_size_v<Method>);
  std::set<std::uint32_t> ids;
  for_each_method(every_method, [&]<typename M>() { ids.insert(M::info.id.value()); });
  EXPECT_EQ(ids.size(), std::variant_size_v<Method>);
}

TEST(Methods, each_is_encoded_and_decoded_as_another_implementation_does_it) {
  for_each_method(every_method, []<typename M>() { check_layout<M>(); });
}

TEST(Methods, each_is_refused_when_it_ends_at_any_other_byte) {
  for_each_method(every_method, []<typename M>() { check_lengths<M>(); });
}

TEST(Methods, each_round_trips_with_nothing_set) {
  for_each_method(every_method, []<typename M>() { check_defaults<M>(); });
}

TEST(Methods, only_four_carry_content) {
  std::set<std::string_view> names;
  for_each_method(every_method, [&]<typename M>() {
    if (M::info.has_content) names.insert(M::info.name);
  });
  EXPECT_EQ(names,
            (std::set<std::string_view>{"basic.publish", "basic.return", "basic.deliver", "basic.get-ok"}));
}

TEST(Methods, replies_to_requests_of_clients_come_from_the_server) {
  EXPECT_EQ(find_method({50, 10})->sender, Sender::client);
  EXPECT_EQ(find_method({50, 11})->sender, Sender::server);
  EXPECT_EQ(find_method({60, 80})->sender, Sender::both);
}

TEST(Methods, a_method_that_does_not_exist_is_not_implemented) {
  for (const char* hex : {"003c0079", "00000000", "ffffffff", "000a0000", "00370028"}) {
    const auto payload = from_hex(hex);
    EXPECT_EQ(find_method(method_id_of(payload)), nullptr) << hex;
    const auto decoded = decode_method(payload);
    ASSERT_FALSE(decoded) << hex;
    EXPECT_EQ(decoded.error(), (WireError{ReplyCode::not_implemented, "unknown method"})) << hex;
  }
  EXPECT_EQ(find_method({60, 121}), nullptr);
}

TEST(Methods, a_payload_too_short_for_a_method_id_has_none) {
  EXPECT_EQ(method_id_of(from_hex("003c00")), MethodId{});
  EXPECT_EQ(method_id_of({}), MethodId{});
}

TEST(Methods, bits_share_an_octet_low_bit_first_and_the_unused_ones_are_ignored) {
  const auto payload = from_hex("003c0028 0000 0165 0172 fd");
  const auto publish = decode_as<BasicPublish>(payload);
  ASSERT_TRUE(publish);
  EXPECT_EQ(publish->exchange, "e");
  EXPECT_EQ(publish->routing_key, "r");
  EXPECT_TRUE(publish->mandatory);
  EXPECT_FALSE(publish->immediate);
}

TEST(Methods, a_short_string_may_have_255_bytes) {
  const std::string name(255, 'n');
  const auto payload = payload_of(QueueDeclareOk{.queue = name});
  const auto decoded = decode_as<QueueDeclareOk>(payload);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->queue, name);
}

TEST(MethodsDeathTest, a_short_string_of_256_bytes_is_a_bug_of_the_caller) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string name(256, 'n');
  EXPECT_DEATH(payload_of(QueueDeclareOk{.queue = name}), "short_string_bytes_max");
}

TEST(Methods, a_short_string_that_is_not_utf8_is_a_frame_error) {
  const auto payload = from_hex("003c0028 0000 0165 02c328 00");
  const auto decoded = decode_method(payload);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(), (WireError{ReplyCode::frame_error, "short string is not UTF-8"}));
}

TEST(Methods, a_long_string_may_hold_any_bytes) {
  const auto payload = from_hex("000a0015 00000002 c328");
  const auto decoded = decode_as<ConnectionSecureOk>(payload);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->response.value, "\xc3\x28");
}

TEST(Methods, a_bad_table_among_the_arguments_is_a_syntax_error) {
  const auto payload = from_hex("00320032 0000 0171 0165 0172 00000003 016b7a");  // type letter 'z'
  const auto decoded = decode_method(payload);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(), (WireError{ReplyCode::syntax_error, "malformed field table"}));
}

}  // namespace
}  // namespace weir::amqp091
