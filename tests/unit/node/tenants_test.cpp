// What vhosts and users may use, and what publishers may send, over all shards.
#include "broker/tenant_limits.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using broker::LimitOf;
using testing::ElementsAre;

class Tenancies : public NodeTest {
 protected:
  void run(broker::Request request) {
    std::optional<Result<broker::Decision>> answer;
    node->turn(0, [&] {
      node->shard(0).administer(std::move(request),
                                [&](Result<broker::Decision> a) { answer = std::move(a); });
    });
    ASSERT_TRUE(node->until([&] { return answer.has_value(); }));
    ASSERT_TRUE(answer->has_value()) << answer->error().message;
    settle();
  }
  void limit(LimitOf of, const std::string& subject, std::string_view name, std::int64_t value) {
    run(broker::PutLimitRequest{{of, subject, std::string(name), value}});
  }
  // Why a connection is refused; empty: it is not.
  std::string refusal(std::uint16_t shard, const std::string& user = "guest",
                      std::string protocol = "AMQP 0-9-1") {
    struct Deaf final : SessionEvents {
      void on_body_piece(BodyNumber, Result<BodyPiece>) override {}
      void on_reply(Reply) override {}
      void on_confirmed(PublisherNumber, std::uint64_t) override {}
      void on_rejected(PublisherNumber, std::uint64_t, std::uint64_t) override {}
      void on_delivery(const Delivery&) override {}
      void on_consumer_cancelled(ConsumerNumber, CancelReason) override {}
      void on_publish_flow(bool, std::string_view) override {}
      void on_close_wanted(const Error&) override {}
    } deaf;
    SessionInfo info;
    info.user = user;
    info.vhost = "/";
    info.protocol = std::move(protocol);
    auto opened = node->shard(shard).open_session(std::move(info), deaf);
    return opened ? std::string() : opened.error().message;
  }
  std::size_t rejected(TestSession& client, const std::vector<TestMessage>& messages) {
    client.rejected.clear();
    client.publish(messages);
    EXPECT_TRUE(node->until([&] { return client.all_confirmed(); }));
    return client.rejected.size();
  }
};

TEST_F(Tenancies, of_a_vhost_there_are_no_more_connections_than_may_be_on_all_shards_together) {
  start(2);
  limit(LimitOf::vhost, "/", "max-connections", 2);
  session(0);
  session(1);
  EXPECT_EQ(refusal(0), "access to vhost '/' refused for user 'guest': connection limit (2) is reached");
  EXPECT_EQ(refusal(1), refusal(0));
  sessions.pop_back();
  EXPECT_EQ(refusal(0), "");
  limit(LimitOf::vhost, "/", "max-connections", 0);
  EXPECT_NE(refusal(0), "");
  limit(LimitOf::vhost, "/", "max-connections", -1);
  EXPECT_EQ(refusal(0), "");
}

TEST_F(Tenancies, of_the_brokers_own_sessions_there_may_be_any_number) {
  start(1);
  limit(LimitOf::vhost, "/", "max-connections", 0);
  EXPECT_NE(refusal(0), "");
  EXPECT_EQ(refusal(0, "guest", {}), "");
}

TEST_F(Tenancies, of_a_user_there_are_no_more_connections_than_may_be) {
  start(2);
  limit(LimitOf::user, "guest", "max-connections", 1);
  session(0);
  EXPECT_EQ(refusal(1), "connection refused for user 'guest': user connection limit (1) is reached");
  sessions.clear();
  EXPECT_EQ(refusal(1), "");
}

TEST_F(Tenancies, who_is_refused_is_not_counted) {
  start();
  limit(LimitOf::vhost, "/", "max-connections", 1);
  EXPECT_NE(refusal(0, "nobody"), "");
  EXPECT_NE(refusal(0, "nobody"), "");
  EXPECT_EQ(refusal(0), "");
}

TEST_F(Tenancies, of_a_user_there_are_no_more_channels_than_may_be) {
  start(2);
  limit(LimitOf::user, "guest", "max-channels", 2);
  TestSession& one = session(0);
  TestSession& other = session(1);
  one.within([](Session& s) { EXPECT_TRUE(s.open_channel(1).has_value()); });
  other.within([](Session& s) { EXPECT_TRUE(s.open_channel(1).has_value()); });
  other.within([](Session& s) {
    const Status third = s.open_channel(1);
    ASSERT_FALSE(third.has_value());
    EXPECT_EQ(third.error().message,
              "number of channels opened for user 'guest' has reached the maximum allowed user limit of (2)");
  });
  one.end();
  other.within([](Session& s) {
    EXPECT_TRUE(s.open_channel(1).has_value());
    s.close_channel(1);
    EXPECT_TRUE(s.open_channel(1).has_value());
  });
}

TEST_F(Tenancies, what_a_vhost_keeps_is_bounded_over_all_shards_and_consuming_makes_room) {
  start(2);
  TestSession& client = session(1);
  const std::string here = queue_on(1, "here"), there = queue_on(0, "there");
  client.declare(here);
  client.declare(there);
  client.publish_to(here, {"a", "b"});
  limit(LimitOf::vhost, "/", "max-messages", 4);
  EXPECT_EQ(rejected(client, {{"", there, "c"}}), 0U);
  EXPECT_EQ(rejected(client, {{"", there, "d", false}}), 0U);  // in memory
  EXPECT_EQ(rejected(client, {{"", here, "e"}, {"", there, "f"}}), 2U);
  ASSERT_TRUE(client.get(there, true).has_value());
  settle();
  EXPECT_EQ(rejected(client, {{"", here, "g"}}), 0U);
  EXPECT_EQ(rejected(client, {{"", here, "h"}}), 1U);
  client.ask([&](Session& s) { s.purge_queue(here); });
  settle();
  EXPECT_EQ(rejected(client, {{"", there, "i"}}), 0U);
  client.ask([&](Session& s) { s.delete_queue(there, false, false); });
  settle();
  EXPECT_EQ(node->counters().tenants.vhosts.find("/")->messages.load(), 0);
  EXPECT_EQ(node->counters().tenants.vhosts.find("/")->bytes.load(), 0);
}

TEST_F(Tenancies, what_a_vhost_keeps_is_counted_again_after_a_restart) {
  start(2);
  limit(LimitOf::vhost, "/", "max-bytes", 1'000);
  const std::string queue = queue_on(0);
  {
    TestSession& client = session(1);
    client.declare(queue);
    EXPECT_EQ(rejected(client, {{"", queue, std::string(1'500, 'x')}}), 0U);
    EXPECT_EQ(rejected(client, {{"", queue, "y"}}), 1U);
  }
  crash();
  TestSession& client = session(1);
  EXPECT_EQ(rejected(client, {{"", queue, "y"}}), 1U);
  ASSERT_TRUE(client.get(queue, true).has_value());
  settle();
  EXPECT_EQ(rejected(client, {{"", queue, "y"}}), 0U);
}

TEST_F(Tenancies, a_dead_letter_finds_room_in_a_full_vhost) {
  start();
  TestSession& client = session();
  broker::Table arguments;
  arguments.set("x-dead-letter-exchange", {std::string()});
  arguments.set("x-dead-letter-routing-key", {std::string("dead")});
  client.declare("q", arguments);
  client.declare("dead");
  client.publish_to("q", {"a"});
  limit(LimitOf::vhost, "/", "max-messages", 1);
  const auto got = client.get("q");
  client.settle(*got, Outcome::discard);
  settle();
  EXPECT_EQ(client.ready("dead"), 1U);
}

TEST_F(Tenancies, a_limit_that_is_taken_back_leaves_no_trace) {
  start();
  TestSession& client = session();
  client.declare("q");
  limit(LimitOf::vhost, "/", "max-messages", 1);
  EXPECT_EQ(rejected(client, {{"", "q", "a"}, {"", "q", "b"}}), 1U);
  run(broker::DeleteLimit{LimitOf::vhost, "/", "max-messages"});
  EXPECT_EQ(rejected(client, {{"", "q", "c"}}), 0U);
  EXPECT_EQ(node->shard(0).host().find(client.declare("q").queue)->tally, nullptr);
}

TEST_F(Tenancies, who_publishes_faster_than_it_may_waits_and_goes_on) {
  start();
  TestSession& client = session();
  client.declare("q");
  limit(LimitOf::vhost, "/", "max-publish-rate", 100);  // ten at once
  for (int i = 0; i < 11; ++i) client.publish({{"", "q", "x"}});
  ASSERT_EQ(client.flow.size(), 1U);
  EXPECT_EQ(client.flow.back(), (std::pair<bool, std::string>{false, ""}));
  node->pass_ms(5);
  EXPECT_EQ(client.flow.size(), 1U);
  node->pass_ms(20);
  ASSERT_EQ(client.flow.size(), 2U);
  EXPECT_TRUE(client.flow.back().first);
  EXPECT_TRUE(client.rejected.empty());
  EXPECT_EQ(client.ready("q"), 11U);
}

TEST_F(Tenancies, a_rate_of_bytes_counts_what_all_sessions_of_the_user_send) {
  start(2);
  limit(LimitOf::user, "guest", "max-publish-bytes-rate", 10'000);
  TestSession& one = session(0);
  TestSession& other = session(1);
  one.declare("q");
  one.publish({{"", "q", std::string(900, 'x')}});
  EXPECT_TRUE(one.flow.empty());
  other.publish({{"", "q", std::string(900, 'x')}});
  EXPECT_EQ(other.flow.size(), 1U);
  node->pass_ms(200);
  EXPECT_EQ(other.flow.size(), 2U);
  EXPECT_TRUE(one.flow.empty());
}

TEST_F(Tenancies, whom_no_rate_holds_any_more_is_not_held) {
  start();
  TestSession& client = session();
  client.declare("q");
  limit(LimitOf::user, "guest", "max-publish-rate", 1);
  client.publish({{"", "q", "x"}, {"", "q", "x"}});
  ASSERT_EQ(client.flow.size(), 1U);
  run(broker::DeleteLimit{LimitOf::user, "guest", "max-publish-rate"});
  node->pass_ms(3'000);
  EXPECT_EQ(client.flow.size(), 2U);
  for (int i = 0; i < 50; ++i) client.publish({{"", "q", "x"}});
  EXPECT_EQ(client.flow.size(), 2U);
}

TEST_F(Tenancies, of_a_vhost_that_is_deleted_all_connections_are_closed) {
  start(2);
  run(broker::PutVhostRequest{{"shop", ""}});
  run(broker::PutPermissionRequest{{"guest", "shop", ".*", ".*", ".*"}});
  TestSession& elsewhere = session(1);
  std::vector<std::unique_ptr<TestSession>> inside;
  for (const std::uint16_t shard : std::initializer_list<std::uint16_t>{0, 1, 1})
    inside.push_back(std::make_unique<TestSession>(*node, shard, "guest", "shop"));
  inside[2]->declare("q");
  inside[2]->consume("q");
  run(broker::DeleteVhost{"shop"});
  for (const auto& closed : inside) {
    EXPECT_THAT(closed->close_reasons, ElementsAre("vhost 'shop' is deleted"));
  }
  EXPECT_THAT(elsewhere.close_reasons, testing::IsEmpty());
  inside.clear();
  settle();
  // Nothing of theirs is in the way of a new one of the name.
  run(broker::PutVhostRequest{{"shop", ""}});
  run(broker::PutPermissionRequest{{"guest", "shop", ".*", ".*", ".*"}});
  TestSession again(*node, 0, "guest", "shop");
  EXPECT_EQ(again.declare("q").messages_ready, 0U);
}

TEST_F(Tenancies, of_a_user_who_is_deleted_all_connections_are_closed) {
  start(2);
  run(broker::PutUserRequest{{"ann", "", {}}});
  run(broker::PutPermissionRequest{{"ann", "/", ".*", ".*", ".*"}});
  TestSession& other = session(1);
  TestSession here(*node, 0, "ann"), there(*node, 1, "ann");
  run(broker::DeleteUser{"ann"});
  EXPECT_THAT(here.close_reasons, ElementsAre("user 'ann' is deleted"));
  EXPECT_THAT(there.close_reasons, ElementsAre("user 'ann' is deleted"));
  EXPECT_THAT(other.close_reasons, testing::IsEmpty());
  EXPECT_NE(refusal(1, "ann"), "");
}

TEST_F(Tenancies, topic_permissions_are_checked_when_publishing_and_binding) {
  start(2);
  run(broker::PutTopicPermissionRequest{{"guest", "/", "amq.topic", "^{username}[.]", "^read"}});
  TestSession& client = session(1);
  client.declare("q");
  EXPECT_TRUE(client.publish({{"amq.topic", "guest.x", "a"}})[0].has_value());
  const auto refused = client.publish({{"amq.topic", "x", "a"}})[0];
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            "write access to topic 'x' in exchange 'amq.topic' in vhost '/' refused for user 'guest'");
  EXPECT_TRUE(client.bind("amq.topic", "q", "read.#").has_value());
  EXPECT_FALSE(client.bind("amq.topic", "q", "#").has_value());
}

}  // namespace weir::node
