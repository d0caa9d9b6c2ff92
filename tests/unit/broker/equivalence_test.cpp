#include "broker/equivalence.h"

#include <gtest/gtest.h>

#include "unit/broker/small_node.h"

namespace weir::broker {
namespace {

std::string compare(Value received, Value current) {
  return error_of(same_argument("x-a", "queue 'q' in vhost '/'", one_field("x-a", std::move(received)),
                                one_field("x-a", std::move(current))));
}

TEST(Equivalence, of_numbers_does_not_look_at_their_width) {
  EXPECT_EQ(compare(Value{std::int32_t{5}}, Value{std::int64_t{5}}), "");
  EXPECT_EQ(compare(Value{std::uint8_t{5}}, Value{std::int16_t{5}}), "");
  EXPECT_EQ(compare(Value{1.5F}, Value{1.5}), "");
  EXPECT_EQ(compare(Value{std::uint64_t{1} << 63}, Value{std::uint64_t{1} << 63}), "");
}

TEST(Equivalence, tells_both_values_when_they_differ) {
  EXPECT_EQ(
      compare(Value{std::int32_t{5}}, Value{std::int64_t{6}}),
      "inequivalent: inequivalent arg 'x-a' for queue 'q' in vhost '/': received '5' but current is '6'");
  EXPECT_EQ(
      compare(text("a"), text("b")),
      "inequivalent: inequivalent arg 'x-a' for queue 'q' in vhost '/': received 'a' but current is 'b'");
  EXPECT_EQ(compare(Value{true}, Value{false}),
            "inequivalent: inequivalent arg 'x-a' for queue 'q' in vhost '/': received 'true' but current is "
            "'false'");
}

TEST(Equivalence, tells_the_types_where_the_values_look_the_same) {
  EXPECT_EQ(compare(text("5"), Value{std::int32_t{5}}),
            "inequivalent: inequivalent arg 'x-a' for queue 'q' in vhost '/': received the value '5' of type "
            "'longstr' but "
            "current is the value '5' of type 'signedint'");
}

TEST(Equivalence, an_argument_that_is_missing_differs_from_any_value) {
  EXPECT_EQ(error_of(same_argument("x-a", "queue 'q' in vhost '/'", {}, {})), "");
  EXPECT_EQ(
      error_of(same_argument("x-a", "queue 'q' in vhost '/'", {}, one_field("x-a", Value{std::int64_t{7}}))),
      "inequivalent: inequivalent arg 'x-a' for queue 'q' in vhost '/': received none but current is the "
      "value '7' of "
      "type 'long'");
}

TEST(Equivalence, a_missing_queue_type_is_classic) {
  const Table classic = one_field("x-queue-type", text("classic"));
  EXPECT_EQ(error_of(same_argument("x-queue-type", "queue 'q'", {}, classic)), "");
  EXPECT_EQ(error_of(same_argument("x-queue-type", "queue 'q'", classic, {})), "");
  EXPECT_NE(
      error_of(same_argument("x-queue-type", "queue 'q'", {}, one_field("x-queue-type", text("quorum")))),
      "");
}

}  // namespace
}  // namespace weir::broker
