#include "admin/definitions_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/password.h"

namespace weir::admin {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view shop = R"({
  "vhosts": [{"name": "shop"}],
  "users": [{"name": "till", "password": "secret", "tags": ""}],
  "permissions": [{"user": "till", "vhost": "shop", "configure": "", "write": ".*", "read": ""}],
  "exchanges": [{"name": "sales", "vhost": "shop", "type": "topic", "durable": true}],
  "queues": [{"name": "orders", "vhost": "shop", "durable": true}],
  "bindings": [{"source": "sales", "vhost": "shop", "destination": "orders", "destination_type": "queue",
                "routing_key": "sale.#"}]})";

class FitDefinitions : public testing::Test {
 protected:
  Result<std::vector<broker::Request>> fit(std::string_view text) {
    auto file = parse_definitions(text, "/");
    EXPECT_TRUE(file) << file.error().message;
    return fit_definitions(std::move(*file), state_, 2);
  }
  // Makes the requests true, as the node would.
  void carry_out(const std::vector<broker::Request>& requests) {
    broker::Topology topology;
    for (const broker::Change& change : state_) topology.apply(change);
    for (const broker::Request& request : requests) {
      const auto decision = broker::decide(topology, {}, request, {2, 0});
      ASSERT_TRUE(decision) << decision.error().message;
      for (const broker::Change& change : decision->changes) topology.apply(change);
    }
    state_.clear();
    topology.durable_state(state_);
  }
  std::vector<broker::Change> state_;
};

TEST_F(FitDefinitions, an_empty_node_gets_everything) {
  const auto requests = fit(shop);
  ASSERT_TRUE(requests) << requests.error().message;
  EXPECT_THAT(*requests, SizeIs(6));
}

TEST_F(FitDefinitions, the_same_file_again_changes_nothing) {
  carry_out(*fit(shop));
  const auto again = fit(shop);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(*again, IsEmpty());
}

TEST_F(FitDefinitions, a_plain_password_is_hashed_and_a_new_one_is_a_change) {
  const auto requests = fit(R"({"users": [{"name": "till", "password": "secret"}]})");
  ASSERT_TRUE(requests);
  ASSERT_THAT(*requests, SizeIs(1));
  const auto& user = std::get<broker::PutUserRequest>(requests->front()).user;
  EXPECT_TRUE(node::verify_password("secret", user.password_hash));
  carry_out(*requests);
  EXPECT_THAT(*fit(R"({"users": [{"name": "till", "password": "other"}]})"), SizeIs(1));
}

TEST_F(FitDefinitions, an_entry_that_does_not_fit_to_what_is_there_refuses_the_file_and_is_named) {
  carry_out(*fit(shop));
  const auto requests = fit(R"({"vhosts": [{"name": "new"}],
                                "exchanges": [{"name": "sales", "vhost": "shop", "type": "fanout", "durable": true}]})");
  ASSERT_FALSE(requests);
  EXPECT_EQ(requests.error().code, ErrorCode::config);
  EXPECT_THAT(requests.error().message, HasSubstr("line 2: exchange 'sales' in vhost 'shop': "));
}

TEST_F(FitDefinitions, an_entry_whose_other_end_is_nowhere_refuses_the_file_and_is_named) {
  const auto binding = fit(R"({"vhosts": [{"name": "v"}], "bindings": [{"source": "x", "vhost": "v",
                               "destination": "q"}]})");
  ASSERT_FALSE(binding);
  EXPECT_THAT(binding.error().message, HasSubstr("binding from exchange 'x' to queue 'q' in vhost 'v': "));
  EXPECT_FALSE(fit(R"({"queues": [{"name": "q", "vhost": "nowhere", "durable": true}]})"));
}

}  // namespace
}  // namespace weir::admin
