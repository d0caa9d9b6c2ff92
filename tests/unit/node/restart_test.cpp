// What a node brings back after an ordered end, a crash, and a crash on top of it.
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;

class Restart : public NodeTest {
 protected:
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> bodies;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true))
      bodies.push_back(got->body + (got->redelivered ? "!" : ""));
    return bodies;
  }
  std::uint64_t log_files(std::uint16_t shard) { return node->shard(shard).journal().stats().files; }
};

TEST_F(Restart, an_ordered_end_keeps_persistent_messages_and_forgets_the_others) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, {"a"}, true);
  client.publish_to(queue, {"memory"}, false);
  client.publish_to(queue, {"b"}, true);
  restart();
  EXPECT_TRUE(node->shard(0).recovery().clean);
  EXPECT_THAT(drain(queue), ElementsAre("a", "b"));
}

TEST_F(Restart, an_ordered_end_keeps_who_was_redelivered) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"a", "b"});
  client.consume("q", 1, 1);
  settle();
  client.within([&](Session& session) {
    session.drop_consumer(1);
    session.settle(1, client.deliveries[0].queue, client.deliveries[0].seq, Outcome::requeue);
  });
  restart();
  EXPECT_THAT(drain("q"), ElementsAre("a!", "b"));
}

TEST_F(Restart, after_a_crash_everything_may_be_a_redelivery_and_stays_so) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"a", "b"});
  crash();
  EXPECT_FALSE(node->shard(0).recovery().clean);
  settle();
  restart();
  EXPECT_THAT(drain("q"), ElementsAre("a!", "b!"));
}

TEST_F(Restart, a_confirm_covers_what_was_settled_before_the_publish) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"a", "b", "c"});
  settle();
  const auto a = client.get("q"), b = client.get("q");
  client.settle(*a);
  node->clock().advance_ns(6'000'000);  // in the next turn it is time to write what was settled
  client.within([&](Session& session) {
    session.settle(no_consumer, b->queue, b->seq, Outcome::accept);
    client.publish_inside({{.exchange = "", .routing_key = "q", .body = "d"}});
  });
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  crash();
  EXPECT_THAT(drain("q"), ElementsAre("c!", "d!"));
}

TEST_F(Restart, a_crash_forgets_no_confirm_and_gives_no_seq_twice) {
  start(2);
  std::vector<std::uint64_t> seqs;
  for (int life = 0; life < 4; ++life) {
    TestSession& client = session(1);
    client.declare("q");
    client.publish_to("q", {std::to_string(life)});
    client.publish_to("q", {"memory"}, false);
    crash();
  }
  TestSession& reader = session();
  for (int life = 0; life < 4; ++life) {
    const auto got = reader.get("q");
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->body, std::to_string(life));
    seqs.push_back(got->seq.value);
  }
  EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end()));
  EXPECT_EQ(std::adjacent_find(seqs.begin(), seqs.end()), seqs.end());
}

TEST_F(Restart, a_fan_out_that_shares_one_body_comes_back_in_each_queue) {
  start();
  TestSession& client = session();
  for (const char* queue : {"a", "b", "c"}) {
    client.declare(queue);
    ASSERT_TRUE(client.bind("amq.fanout", queue));
  }
  client.publish({{"amq.fanout", "", "shared"}, {"", "b", "own"}});
  settle();
  const auto got = client.get("a");
  client.settle(*got);
  settle();
  crash();
  EXPECT_THAT(drain("a"), testing::IsEmpty());
  EXPECT_THAT(drain("b"), ElementsAre("shared!", "own!"));
  EXPECT_THAT(drain("c"), ElementsAre("shared!"));
}

TEST_F(Restart, settled_messages_give_their_files_back_and_definitions_outlive_the_files) {
  start(2);
  TestSession& client = session(0);
  for (std::uint16_t shard = 0; shard < 2; ++shard) {
    const std::string queue = queue_on(shard);
    client.declare(queue);
    client.consume(queue, shard + 1U);
  }
  ASSERT_TRUE(client.declare_exchange("x", "fanout"));
  ASSERT_TRUE(client.bind("x", queue_on(0)));
  ASSERT_TRUE(client.bind("x", queue_on(1)));
  std::size_t settled = 0;
  for (int i = 0; i < 100; ++i) {
    client.publish({{"x", "", std::string(10'000, 'x')}});
    ASSERT_TRUE(node->until([&] {
      while (settled < client.deliveries.size()) client.settle(TakenDelivery(client.deliveries[settled++]));
      return settled == static_cast<std::size_t>(2 * (i + 1));
    }));
  }
  settle();
  node->pass_ms(200);
  settle();
  EXPECT_LE(log_files(0), 2U);
  EXPECT_LE(log_files(1), 2U);
  EXPECT_GT(node->shard(0).journal().recovery().files + node->shard(0).journal().stats().bytes_written,
            500'000U);
  crash();
  TestSession& reader = session(1);
  EXPECT_EQ(reader.ready(queue_on(0)), 0U);
  reader.publish({{"x", "", "after"}});
  settle();
  EXPECT_EQ(reader.ready(queue_on(0)), 1U);
  EXPECT_EQ(reader.ready(queue_on(1)), 1U);
}

TEST_F(Restart, a_deleted_queue_gives_its_files_back) {
  start();
  TestSession& client = session();
  client.declare("keep");
  client.declare("q");
  for (int i = 0; i < 20; ++i) client.publish_to("q", {std::string(20'000, 'x')});
  EXPECT_GT(log_files(0), 3U);
  ASSERT_TRUE(client.ask([](Session& session) { session.delete_queue("q", false, false); }));
  client.publish_to("keep", {"one"});
  settle();
  node->pass_ms(200);
  settle();
  EXPECT_LE(log_files(0), 2U);
  crash();
  EXPECT_THAT(drain("keep"), ElementsAre("one!"));
}

TEST_F(Restart, a_first_start_that_is_cut_short_is_made_up_for) {
  for (std::uint64_t changes = 0; changes < 12; ++changes) {
    runtime::SimStorage fresh(changes + 1);
    SimNodeOptions its_options = options;
    its_options.shards = 2;
    plan.died = false;
    plan.changes_left = changes;
    {
      SimNode cut(fresh, its_options);
      const Status started = cut.start();
      EXPECT_TRUE(started.has_value() || plan.died);
      fresh.crash();
    }
    plan.died = false;
    plan.changes_left = UINT64_MAX;
    SimNode again(fresh, its_options);
    const Status started = again.start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
    TestSession client(again, 1);
    client.declare("q");
  }
}

TEST_F(Restart, a_node_may_end_while_its_disk_is_busy) {
  options.journal.cache_bytes = 16U << 10;
  options.faults.slow_one_in = 1;
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, std::vector<std::string>(300, std::string(2000, 'x')));
  client.consume(queue);
  sessions.clear();
  node.reset();  // with a read, a snapshot or a commit under way
  boot();
  EXPECT_EQ(session().ready(queue), 300U);
}

// Letters are known by the seq that they had (node/letter_marks.h), for longer than the log may tell of it.
TEST_F(Restart, no_seq_is_given_twice_though_nothing_of_the_log_is_left) {
  options.journal.first_file_bytes = options.journal.file_bytes_max = 64U << 10;
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  const Lsn begin = node->shard(0).journal().recovery().start;
  std::uint64_t published = 0;
  for (; published < 1'000; published += 10) {
    client.publish_to("q", std::vector<std::string>(10, std::string(1'000, 'x')));
    while (client.get("q", true)) {
    }
  }
  settle();
  ASSERT_EQ(find(queue)->next_seq(), Seq{published});
  restart();
  EXPECT_GT(node->shard(0).journal().recovery().start, begin);
  EXPECT_GE(find(queue)->next_seq(), Seq{published});
  crash();
  EXPECT_GE(find(queue)->next_seq(), Seq{published});
}

}  // namespace weir::node
