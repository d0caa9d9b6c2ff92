// Definitions as sessions see them: who may, what waits for what, what a crash leaves.
#include <set>

#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Definitions : public NodeTest {
 protected:
  static void declare_only(TestSession& client, const std::string& queue, bool durable = true) {
    broker::DeclareQueue request;
    request.vhost = "/";
    request.name = queue;
    request.durable = durable;
    client.ask_only([&](Session& session) { session.declare_queue(request); });
  }
  static Reply remove(TestSession& client, const std::string& queue, bool if_unused = false,
                      bool if_empty = false) {
    return client.ask([&](Session& session) { session.delete_queue(queue, if_unused, if_empty); });
  }
};

TEST_F(Definitions, a_durable_queue_is_answered_when_it_is_on_the_disk) {
  start(2);
  session(1).declare("q");
  crash();
  EXPECT_NE(node->shard(1).topology().find_queue("/", "q"), nullptr);
}

TEST_F(Definitions, a_transient_queue_is_gone_after_a_restart) {
  start();
  session().declare("q", false);
  restart();
  EXPECT_EQ(node->shard(0).topology().find_queue("/", "q"), nullptr);
}

TEST_F(Definitions, whoever_hears_of_a_queue_finds_it_on_every_shard) {
  options.late_mail = true;
  start(3);
  for (int i = 0; i < 30; ++i) {
    const std::string name = "q" + std::to_string(i);
    session(static_cast<std::uint16_t>(i % 3)).declare(name, i % 2 == 0);
    for (std::uint16_t shard = 0; shard < 3; ++shard) {
      EXPECT_NE(node->shard(shard).topology().find_queue("/", name), nullptr)
          << name << " on shard " << shard;
    }
  }
}

TEST_F(Definitions, two_declarations_of_one_name_at_the_same_time_are_one_queue) {
  start(2);
  TestSession& first = session(0);
  TestSession& second = session(1);
  declare_only(first, "q");
  declare_only(second, "q");
  settle();
  ASSERT_TRUE(first.reply && first.reply->has_value());
  ASSERT_TRUE(second.reply && second.reply->has_value());
  EXPECT_EQ(std::get<QueueStatus>(**first.reply).queue, std::get<QueueStatus>(**second.reply).queue);
}

TEST_F(Definitions, a_declaration_that_waited_is_decided_against_what_came_before_it) {
  start(2);
  TestSession& first = session(0);
  TestSession& second = session(1);
  declare_only(first, "q", true);
  declare_only(second, "q", false);
  settle();
  ASSERT_TRUE(first.reply && second.reply);
  EXPECT_NE(first.reply->has_value(), second.reply->has_value()) << "they differ: one is refused";
  const Reply& refused = first.reply->has_value() ? *second.reply : *first.reply;
  EXPECT_EQ(refused.error().code, ErrorCode::inequivalent);
}

TEST_F(Definitions, declarations_that_are_under_way_together_get_ids_of_their_own) {
  start(2);
  std::vector<TestSession*> clients;
  for (std::uint16_t i = 0; i < 12; ++i) {
    clients.push_back(&session(i % 2));
    declare_only(*clients.back(), "q" + std::to_string(i), i % 3 != 0);
  }
  settle();
  std::set<QueueId> ids;
  for (TestSession* client : clients) {
    ASSERT_TRUE(client->reply && client->reply->has_value());
    ids.insert(std::get<QueueStatus>(**client->reply).queue);
  }
  EXPECT_EQ(ids.size(), clients.size());
}

TEST_F(Definitions, bindings_of_one_exchange_share_a_commit_and_its_deletion_waits_for_them) {
  start(1);
  TestSession& owner = session();
  owner.declare("q");
  ASSERT_TRUE(owner.declare_exchange("x", "direct"));
  std::vector<TestSession*> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(&session());
  TestSession& deleter = session();
  const std::uint64_t commits = node->shard(0).journal().stats().commits;
  for (int i = 0; i < 10; ++i) {
    clients[i]->ask_only([&](Session& session) {
      session.bind({"/", "x", broker::DestinationKind::queue, "q", "k" + std::to_string(i), {}});
    });
  }
  deleter.ask_only([](Session& session) { session.delete_exchange({"/", "x", true}); });
  ASSERT_TRUE(node->until([&] { return deleter.reply.has_value(); }));
  EXPECT_LT(node->shard(0).journal().stats().commits - commits, 10U)
      << "one each, if they waited for each other";
  for (TestSession* client : clients) EXPECT_TRUE(client->reply && client->reply->has_value());
  EXPECT_FALSE(deleter.reply->has_value()) << "it is in use by then";
}

TEST_F(Definitions, an_id_is_never_given_twice_not_even_after_a_crash) {
  start();
  std::set<QueueId> ids;
  for (int life = 0; life < 4; ++life) {
    for (int i = 0; i < 5; ++i) {
      TestSession& client = session();
      ids.insert(client.declare("q").queue);
      ASSERT_TRUE(remove(client, "q"));
    }
    life % 2 == 0 ? crash() : restart();
  }
  EXPECT_EQ(ids.size(), 20U);
}

TEST_F(Definitions, a_deleted_queue_takes_its_messages_and_tells_its_consumers) {
  start(2);
  TestSession& client = session(0);
  TestSession& consumer = session(1);
  const std::string queue = queue_on(1);
  client.declare(queue);
  client.publish_to(queue, {"a", "b", "c"});
  consumer.consume(queue, 4, 1);
  consumer.consume(queue, 5, 1);
  const Reply deleted = remove(client, queue);
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(std::get<Deleted>(*deleted).messages, 1U);
  settle();
  EXPECT_THAT(consumer.cancelled,
              testing::UnorderedElementsAre(testing::Pair(4U, CancelReason::queue_deleted),
                                            testing::Pair(5U, CancelReason::queue_deleted)));
  consumer.settle(consumer.deliveries[0]);  // of a queue that has gone: nothing happens
  settle();
  EXPECT_EQ(node->shard(1).host().queue_count(), 0U);
}

TEST_F(Definitions, a_deleted_queue_with_messages_stays_deleted_through_a_replay) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"a", "b"});
  ASSERT_TRUE(remove(client, "q"));
  client.declare("q");
  client.publish_to("q", {"new"});
  crash();
  EXPECT_EQ(session().ready("q"), 1U);
}

TEST_F(Definitions, gets_that_wait_for_a_queue_that_is_deleted_are_answered) {
  options.journal.cache_bytes = 16U << 10;
  options.faults.slow_one_in = 1;
  start();
  TestSession& client = session();
  TestSession& reader = session();
  client.declare("q");
  client.publish_to("q", std::vector<std::string>(400, std::string(3000, 'x')));
  reader.ask_only([](Session& session) { session.get("q", false); });
  ASSERT_FALSE(reader.reply.has_value()) << "it waits for the disk";
  ASSERT_TRUE(remove(client, "q"));
  settle();
  ASSERT_TRUE(reader.reply.has_value());
}

TEST_F(Definitions, a_queue_is_not_deleted_if_it_must_be_unused_or_empty_and_is_not) {
  start(2);
  TestSession& client = session(0);
  const std::string queue = queue_on(1);
  client.declare(queue);
  client.consume(queue);
  Reply refused = remove(client, queue, true, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  client.publish_to(queue, {"held"});
  refused = remove(client, queue, false, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  client.publish_to(queue, {"more"});
  settle();
  EXPECT_THAT(client.bodies(), ElementsAre("held", "more")) << "it works as before";
}

TEST_F(Definitions, a_deletion_that_is_refused_leaves_the_queue_as_it_was) {
  start(2);
  TestSession& owner = session(0);
  TestSession& other = session(1);
  const std::string queue = queue_on(1);
  owner.declare(queue, false, true);
  const Reply refused = remove(other, queue, true, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::resource_locked);
  owner.publish_to(queue, {"still here"});
  EXPECT_EQ(owner.ready(queue), 1U);
  EXPECT_TRUE(owner.rejected.empty());
  EXPECT_TRUE(owner.consume(queue).has_value());
}

TEST_F(Definitions, a_queue_that_is_being_deleted_because_it_is_empty_takes_nothing_and_says_so) {
  start(2);
  TestSession& client = session(0);
  TestSession& publisher = session(1);
  const QueueStatus queue = client.declare(queue_on(1));
  client.ask_only([&](Session& session) { session.delete_queue(queue.name, false, true); });
  node->turn(1);
  publisher.publish({{"", queue.name, "too late"}});
  settle();
  EXPECT_EQ(publisher.rejected.size(), 1U);
  EXPECT_EQ(find(queue), nullptr);
}

TEST_F(Definitions, a_promise_to_a_deleting_session_ends_with_the_session) {
  start(2);
  TestSession& client = session(0);
  TestSession& publisher = session(1);
  const QueueStatus queue = client.declare(queue_on(1));
  client.ask_only([&](Session& session) { session.delete_queue(queue.name, true, true); });
  node->turn(1);  // the promise is made; its answer does not find the session any more
  client.end();
  settle();
  ASSERT_NE(find(queue), nullptr);
  publisher.publish_to(queue.name, {"taken"});
  EXPECT_TRUE(publisher.rejected.empty());
  EXPECT_TRUE(publisher.consume(queue.name).has_value());
}

TEST_F(Definitions, a_crash_before_a_deletion_is_durable_loses_nothing_that_was_confirmed) {
  start(2);
  TestSession& client = session(0);
  TestSession& publisher = session(1);
  const std::string queue = queue_on(1);
  client.declare(queue);
  settle();
  client.ask_only([&](Session& session) { session.delete_queue(queue, false, false); });
  node->turn(1);
  publisher.publish({{"", queue, "confirmed"}});
  for (int turns = 0; turns < 1000 && !publisher.all_confirmed(); ++turns) node->turn(1);  // shard 0 sleeps
  ASSERT_TRUE(publisher.all_confirmed());
  crash();
  EXPECT_EQ(session().ready(queue), 1U);
}

TEST_F(Definitions, an_exclusive_queue_is_for_its_session_and_goes_with_it) {
  start(2);
  TestSession& owner = session(0);
  TestSession& other = session(1);
  const QueueStatus queue = owner.declare(queue_on(1), false, true);
  owner.publish_to(queue.name, {"mine"});
  const Reply refused = other.consume(queue.name);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::resource_locked);
  EXPECT_THAT(refused.error().message, HasSubstr(queue.name));
  ASSERT_TRUE(owner.consume(queue.name).has_value());
  owner.end();
  settle();
  EXPECT_EQ(find(queue), nullptr);
  EXPECT_EQ(node->shard(1).topology().find_queue("/", queue.name), nullptr);
}

TEST_F(Definitions, an_exclusive_queue_whose_session_ends_while_it_is_declared_goes_too) {
  options.late_mail = true;
  start(2);
  for (int i = 0; i < 20; ++i) {
    TestSession& owner = session(1);
    TestSession& other = session(0);
    const std::string name = "q" + std::to_string(i);
    declare_only(other, name + "-durable");  // something that is on its way to the disk
    broker::DeclareQueue request;
    request.vhost = "/";
    request.name = name;
    request.exclusive = true;
    owner.ask_only([&](Session& session) { session.declare_queue(request); });
    owner.end();
    settle();
    EXPECT_EQ(node->shard(0).topology().find_queue("/", name), nullptr);
    EXPECT_EQ(node->shard(1).topology().find_queue("/", name), nullptr);
  }
}

TEST_F(Definitions, an_auto_delete_queue_goes_with_its_last_consumer) {
  start(2);
  TestSession& client = session(0);
  TestSession& other = session(1);
  const QueueStatus queue = client.declare(queue_on(1), false, false, true);
  settle();
  EXPECT_NE(find(queue), nullptr) << "it had no consumer yet";
  client.consume(queue.name, 1);
  other.consume(queue.name, 1);
  ASSERT_TRUE(client.ask([](Session& session) { session.cancel(1); }));
  settle();
  EXPECT_NE(find(queue), nullptr);
  other.end();
  settle();
  EXPECT_EQ(find(queue), nullptr);
}

TEST_F(Definitions, a_session_may_do_everything_from_within_its_events) {
  start();
  TestSession& client = session();
  client.declare("q", false);
  client.declare("other", false);
  Session* its_session = nullptr;
  client.within([&](Session& session) { its_session = &session; });
  client.publish_to("q", {"a", "b", "c", "d"}, false);
  // The consumer goes in the middle of its deliveries, and the queue with it.
  client.on_message = [&](const TakenDelivery& delivery) {
    if (delivery.body != "b") return;
    its_session->drop_consumer(1);
    its_session->delete_queue("q", false, false);
  };
  client.consume("q", 1, 0, true);
  settle();
  EXPECT_THAT(client.bodies(), ElementsAre("a", "b"));
  EXPECT_EQ(node->shard(0).host().queue_count(), 1U);
}

TEST_F(Definitions, a_client_that_leaves_all_consumers_when_one_is_cancelled_harms_nobody) {
  start();
  TestSession& client = session();
  client.declare("q", false);
  for (const ConsumerNumber number : {1U, 2U, 3U}) client.consume("q", number);
  Session* its_session = nullptr;
  client.within([&](Session& session) { its_session = &session; });
  client.on_cancel = [&] {
    for (const ConsumerNumber number : {1U, 2U, 3U}) its_session->drop_consumer(number);
  };
  ASSERT_TRUE(remove(session(), "q"));
  settle();
  EXPECT_EQ(client.cancelled.size(), 1U) << "of the others it wants to hear nothing any more";
}

}  // namespace weir::node
