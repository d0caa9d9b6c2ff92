// Queues that come back from checkpoints: deep ones, mixed ones, deleted ones, and what the cleaner moved.
#include "unit/node/node_fixture.h"

namespace weir::node {

class Checkpoints : public NodeTest {
 protected:
  Checkpoints() {
    options.journal.checkpoint_bytes = 1;
    options.journal.clean_gain_bytes = 64U << 10;
    options.journal.clean_file_bytes = 256U << 10;
    options.journal.clean_survey_ms = 5;
  }
  storage::Journal::Stats stats() { return node->shard(0).journal().stats(); }
  void publish(TestSession& client, const std::string& queue, int from, int to) {
    for (int i = from; i < to; i += 50) {
      std::vector<std::string> bodies;
      for (int n = i; n < std::min(i + 50, to); ++n) bodies.push_back(body(n));
      client.publish_to(queue, bodies);
    }
    settle();
  }
  static void remove(TestSession& client, const std::string& queue) {
    ASSERT_TRUE(client.ask([&](Session& session) { session.delete_queue(queue, false, false); }));
  }
  static std::string body(int n) { return std::to_string(n) + ":" + std::string(200 + n % 100, 'x'); }
  std::vector<int> drain(const std::string& queue, bool redelivered) {
    std::vector<int> numbers;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) {
      numbers.push_back(std::stoi(got->body));
      EXPECT_EQ(got->body, body(numbers.back()));
      EXPECT_EQ(got->redelivered, redelivered) << got->body;
    }
    return numbers;
  }
  static std::vector<int> range(int from, int to) {
    std::vector<int> numbers;
    for (int n = from; n < to; ++n) numbers.push_back(n);
    return numbers;
  }
};

TEST_F(Checkpoints, a_deep_queue_comes_back_without_its_log_being_read) {
  start();
  TestSession& client = session();
  client.declare("deep");
  publish(client, "deep", 0, 6'000);
  EXPECT_GE(stats().checkpoints, 3U);
  restart();
  EXPECT_LT(node->shard(0).recovery().records, 3'000U);
  EXPECT_EQ(drain("deep", false), range(0, 6'000));
  settle();
  crash();
  EXPECT_TRUE(drain("deep", true).empty()) << "settled durably";
}

TEST_F(Checkpoints, after_a_crash_too_and_all_are_marked_as_perhaps_redelivered) {
  start();
  TestSession& client = session();
  client.declare("deep");
  publish(client, "deep", 0, 4'000);
  crash();
  settle();
  EXPECT_EQ(node->shard(0).host().stats().damaged, 0U);
  TestSession& again = session();
  publish(again, "deep", 4'000, 4'010);
  crash();
  EXPECT_EQ(drain("deep", true), range(0, 4'010));
}

TEST_F(Checkpoints, what_was_taken_from_the_middle_of_full_chunks_stays_gone) {
  start();
  TestSession& client = session();
  client.declare("q");
  publish(client, "q", 0, 4'000);
  ASSERT_GE(stats().checkpoints, 2U) << "the walks know the full chunks by now";
  std::vector<int> left;
  client.consume("q", 1, 0);
  settle();
  ASSERT_EQ(client.deliveries.size(), 4'000U);
  for (int n = 0; n < 4'000; ++n) {
    if (n % 1'000 < 3) {
      client.settle(client.deliveries[static_cast<std::size_t>(n)]);
    } else {
      left.push_back(n);
    }
  }
  settle();
  TestSession& other = session();
  publish(other, "q", 4'000, 5'500);
  for (const int n : range(4'000, 5'500)) left.push_back(n);
  crash();
  EXPECT_EQ(drain("q", true), left);
}

TEST_F(Checkpoints, a_requeue_in_a_full_chunk_is_remembered) {
  start();
  TestSession& client = session();
  client.declare("q");
  publish(client, "q", 0, 3'000);
  client.consume("q", 1, 1);
  settle();
  client.within([&](Session& session) {
    session.drop_consumer(1);
    session.settle(1, client.deliveries[0].queue, client.deliveries[0].seq, Outcome::requeue);
  });
  publish(client, "q", 3'000, 5'000);
  restart();
  TestSession& reader = session();
  EXPECT_TRUE(reader.get("q", true)->redelivered);
  EXPECT_FALSE(reader.get("q", true)->redelivered);
}

TEST_F(Checkpoints, queues_that_are_made_and_deleted_meanwhile_are_no_trouble) {
  start(2);
  TestSession& client = session();
  const std::string kept = queue_on(1, "kept"), gone = queue_on(1, "gone"), late = queue_on(1, "late");
  client.declare(kept);
  client.declare(gone);
  for (int round = 0; round < 8; ++round) {
    publish(client, kept, round * 300, round * 300 + 300);
    publish(client, gone, 0, 300);
    if (round == 4) remove(client, gone);
    if (round == 4) client.declare(gone);
    if (round == 6) remove(client, gone);
    if (round == 6) client.declare(gone);
    if (round == 6) client.declare(late);
    if (round == 6) publish(client, late, 0, 10);
  }
  EXPECT_GE(node->shard(1).journal().stats().checkpoints, 2U);
  crash();
  EXPECT_EQ(node->shard(1).host().stats().damaged, 0U);
  EXPECT_EQ(drain(kept, true), range(0, 2'400));
  EXPECT_EQ(drain(late, true), range(0, 10));
  EXPECT_EQ(drain(gone, true), range(0, 300));
}

TEST_F(Checkpoints, a_message_that_nobody_takes_does_not_keep_the_files_of_those_around_it) {
  start();
  TestSession& client = session();
  client.declare("stuck");
  client.declare("flow");
  TestSession& consumer = session();
  consumer.consume("flow", 1, 0, true);
  for (int round = 0; round < 60; ++round) {
    publish(client, "stuck", round, round + 1);
    publish(client, "flow", 0, 200);
  }
  node->pass_ms(5'000);
  const storage::Journal::Stats now = stats();
  EXPECT_GT(now.clean_passes, 0U);
  EXPECT_LT(now.log_bytes + now.segment_bytes, 1U << 20) << "of more than 3 MB that went through";
  crash();
  EXPECT_EQ(drain("stuck", true), range(0, 60));
}

TEST_F(Checkpoints, messages_are_delivered_while_the_cleaner_moves_them) {
  options.journal.cache_bytes = 64U << 10;
  start();
  TestSession& client = session();
  client.declare("stuck");
  client.declare("flow");
  TestSession& consumer = session();
  consumer.consume("flow", 1, 0, true);
  for (int round = 0; round < 40; ++round) {
    publish(client, "stuck", round, round + 1);
    publish(client, "flow", 0, 200);
  }
  TestSession& reader = session();
  std::vector<int> numbers;
  for (int n = 0; n < 40; ++n) {
    const auto got = reader.get("stuck", true);
    ASSERT_TRUE(got.has_value());
    numbers.push_back(std::stoi(got->body));
    publish(client, "flow", 0, 200);
  }
  EXPECT_EQ(numbers, range(0, 40));
  EXPECT_EQ(node->shard(0).host().stats().damaged, 0U);
}

}  // namespace weir::node
