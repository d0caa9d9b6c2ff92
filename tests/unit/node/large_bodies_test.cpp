// Messages with large bodies: kept as pieces, whole or absent, shared by queues, readable for as long as somebody reads.
#include <algorithm>

#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LargeBodies : public NodeTest {
 protected:
  LargeBodies() { options.body_sizes = {1'000, 400}; }

  static std::string body(char of, std::size_t bytes = 1'500) {
    std::string made(bytes, of);
    for (std::size_t i = 0; i < bytes; i += 7) made[i] = static_cast<char>(of + i % 11);
    return made;
  }
  const Bodies& bodies(std::uint16_t shard = 0) { return node->shard(shard).host().bodies(); }
  std::size_t pieces(std::uint16_t shard = 0) { return bodies(shard).queue().total(); }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> all;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) all.push_back(got->body);
    settle();
    return all;
  }
  std::string log_file() const {
    const std::vector<std::string> paths = machine.paths();
    const auto log = std::find_if(paths.begin(), paths.end(),
                                  [](const std::string& path) { return path.ends_with(".log"); });
    return log == paths.end() ? std::string() : *log;
  }
  static Publish begun(const std::string& queue, std::size_t bytes) {
    Publish publish;
    publish.message.persistent = true;
    publish.message.routing_key = queue;
    publish.message.body_bytes = bytes;
    return publish;
  }
};

TEST_F(LargeBodies, come_back_as_they_were_published_and_leave_nothing) {
  start(2);
  TestSession& client = session(1);
  for (std::uint16_t shard = 0; shard < 2; ++shard) {
    const std::string queue = queue_on(shard);
    client.declare(queue);
    client.publish_to(queue, {body('a'), "small", body('b', 1'000), body('c', 999)});
    EXPECT_EQ(pieces(shard), 4U + 3U);
    EXPECT_THAT(drain(queue), ElementsAre(body('a'), "small", body('b', 1'000), body('c', 999)));
    EXPECT_EQ(pieces(shard), 0U);
  }
}

TEST_F(LargeBodies, are_shared_by_the_queues_of_a_shard_until_the_last_one_is_done) {
  start(2);
  TestSession& client = session(1);
  const std::vector<std::string> queues{queue_on(0, "a"), queue_on(0, "b"), queue_on(0, "c"),
                                        queue_on(1, "d")};
  ASSERT_TRUE(client.declare_exchange("all", "fanout"));
  for (const std::string& queue : queues) {
    client.declare(queue, queue != queues[2]);  // one in memory
    ASSERT_TRUE(client.bind("all", queue));
  }
  client.publish({{"all", "", body('x')}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_EQ(pieces(0), 4U);
  EXPECT_EQ(pieces(1), 4U);
  EXPECT_THAT(drain(queues[3]), ElementsAre(body('x')));
  EXPECT_EQ(pieces(1), 0U);
  EXPECT_THAT(drain(queues[0]), ElementsAre(body('x')));
  ASSERT_TRUE(client.ask([&](Session& session) { session.purge_queue(queues[1]); }));
  EXPECT_EQ(pieces(0), 4U);
  EXPECT_THAT(drain(queues[2]), ElementsAre(body('x')));
  EXPECT_EQ(pieces(0), 0U);
}

TEST_F(LargeBodies, are_whole_or_absent_after_a_crash_and_a_restart) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, {body('a'), body('b')});
  client.within([&](Session& session) {  // a third one is under way
    const auto third = session.begin_body(begun(queue, 1'200));
    ASSERT_TRUE(third && third->body != no_body);
    const std::string piece(400, 'c');
    session.append_body(third->body, as_bytes(piece), nullptr);
    session.append_body(third->body, as_bytes(piece), nullptr);
  });
  settle();
  EXPECT_EQ(pieces(), 4U + 4U + 2U);
  crash();
  settle();
  EXPECT_EQ(pieces(), 8U) << "what never became a message is gone";
  restart();
  EXPECT_EQ(pieces(), 8U);
  EXPECT_THAT(drain(queue), ElementsAre(body('a'), body('b')));
  crash();
  settle();
  EXPECT_EQ(pieces(), 0U);
}

TEST_F(LargeBodies, that_are_given_up_leave_nothing) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  const std::string piece(400, 'x');
  BodyNumber given_up = no_body;
  client.within([&](Session& session) {
    given_up = session.begin_body(begun(queue, 1'200))->body;
    session.append_body(given_up, as_bytes(piece), nullptr);
    const BodyNumber lost = session.begin_body(begun(queue, 1'200))->body;
    session.append_body(lost, as_bytes(piece), nullptr);
  });
  settle();
  EXPECT_EQ(pieces(), 2U);
  client.within([&](Session& session) { session.abort_body(given_up); });
  settle();
  EXPECT_EQ(pieces(), 1U);
  client.end();
  settle();
  EXPECT_EQ(pieces(), 0U);
}

TEST_F(LargeBodies, keep_their_place_among_others_of_the_publisher) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish({{"", queue, "1"}, {"", queue, body('2')}, {"", queue, "3"}, {"", queue, body('4')}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_THAT(drain(queue), ElementsAre("1", body('2'), "3", body('4')));
}

TEST_F(LargeBodies, stay_readable_when_their_queue_has_gone) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, {body('a')});
  TestSession& reader = session(1);
  reader.reads_by_hand = true;
  ASSERT_TRUE(reader.consume(queue, 1, 0, true));
  ASSERT_TRUE(node->until([&] { return !reader.unread.empty(); }));
  const BodyNumber number = reader.unread[0];
  ASSERT_TRUE(client.ask([&](Session& session) { session.delete_queue(queue, false, false); }));
  settle();
  EXPECT_EQ(pieces(), 4U);
  reader.within([&](Session& session) {
    for (int i = 0; i < 4; ++i) session.read_body(number);
  });
  ASSERT_TRUE(node->until([&] { return reader.pieces.size() == 4; }));
  std::string whole;
  for (const auto& [of, piece] : reader.pieces) whole += piece.value();
  EXPECT_EQ(whole, body('a'));
  reader.within([&](Session& session) { session.close_body(number); });
  settle();
  EXPECT_EQ(pieces(), 0U);
}

TEST_F(LargeBodies, are_let_go_by_a_session_that_ends_in_the_middle) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, {body('a')});
  TestSession& reader = session(1);
  reader.reads_by_hand = true;
  ASSERT_TRUE(reader.consume(queue, 1, 0, true));
  ASSERT_TRUE(node->until([&] { return !reader.unread.empty(); }));
  reader.within([&](Session& session) { session.read_body(reader.unread[0]); });
  reader.end();
  settle();
  EXPECT_EQ(pieces(), 0U);
}

TEST_F(LargeBodies, with_a_damaged_piece_are_set_aside_and_the_queue_goes_on) {
  options.journal.cache_bytes = 16U << 10;
  options.journal.read_cache_bytes = 1;
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {body('a'), body('b')});
  // Out of the tail cache.
  for (int i = 0; i < 100; ++i) client.publish_to("q", {std::string(900, '.')});
  std::vector<storage::Location> places;
  const_cast<broker::Queue&>(bodies().queue()).for_each([&](Seq, const broker::Entry& entry) {
    places.push_back(storage::Location::from_packed(entry.reference()));
  });
  const storage::Location location = places.at(1);
  ASSERT_TRUE(machine.flip_bit(log_file(), location.offset() + 100, 3));
  TestSession& reader = session();
  reader.reads_by_hand = true;
  ASSERT_TRUE(reader.consume("q", 1, 1));
  ASSERT_TRUE(node->until([&] { return !reader.unread.empty(); }));
  reader.within([&](Session& session) {
    session.read_body(reader.unread[0]);
    session.read_body(reader.unread[0]);
  });
  ASSERT_TRUE(node->until([&] { return reader.pieces.size() == 2; }));
  EXPECT_TRUE(reader.pieces[0].second.has_value());
  ASSERT_FALSE(reader.pieces[1].second.has_value());
  reader.within([&](Session& session) {
    session.settle(1, reader.deliveries[0].queue, reader.deliveries[0].seq, Outcome::requeue);
  });
  ASSERT_TRUE(node->until([&] { return reader.deliveries.size() == 2; }));
  EXPECT_EQ(node->shard(0).host().stats().damaged, 1U);
  EXPECT_GT(reader.deliveries[1].seq, reader.deliveries[0].seq) << "the damaged one does not come again";
}

TEST_F(LargeBodies, count_whole_for_the_limits_of_a_queue) {
  start();
  TestSession& client = session();
  broker::Table arguments;
  arguments.set("x-max-length-bytes", {std::int64_t{3'200}});
  client.declare("q", arguments);
  client.publish_to("q", {body('a'), body('b'), body('c')});
  settle();
  EXPECT_EQ(node->shard(0).host().stats().dropped, 1U);
  restart();
  EXPECT_THAT(drain("q"), ElementsAre(body('b'), body('c')));
  EXPECT_EQ(pieces(), 0U);
}

TEST_F(LargeBodies, that_a_full_queue_refuses_leave_nothing) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  broker::Table arguments;
  arguments.set("x-max-length-bytes", {std::int64_t{2'000}});
  arguments.set("x-overflow", {std::string("reject-publish")});
  client.declare(queue, arguments);
  client.publish({{"", queue, body('a')}, {"", queue, body('b')}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_THAT(client.rejected, SizeIs(1));
  settle();
  EXPECT_EQ(pieces(), 4U);
}

class LargeDeadLetters : public LargeBodies, public testing::WithParamInterface<const char*> {};

TEST_P(LargeDeadLetters, go_to_their_own_shard_and_to_others) {
  start(3);
  TestSession& client = session(1);
  broker::Table arguments;
  arguments.set("x-dead-letter-exchange", {std::string("dead")});
  arguments.set("x-dead-letter-strategy", {std::string(GetParam())});
  arguments.set("x-queue-type", {std::string("quorum")});
  arguments.set("x-overflow", {std::string("reject-publish")});
  const std::string source = queue_on(0, "source");
  client.declare(source, arguments);
  ASSERT_TRUE(client.declare_exchange("dead", "fanout"));
  std::vector<std::string> dead;
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    dead.push_back(queue_on(shard, "dead"));
    client.declare(dead.back());
    ASSERT_TRUE(client.bind("dead", dead.back()));
  }
  client.publish_to(source, {body('a'), body('b', 9'000)});
  for (int i = 0; i < 2; ++i) client.settle(client.get(source).value(), Outcome::discard);
  settle();
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    EXPECT_EQ(pieces(shard), 4U + 23U) << "shard " << shard;
    EXPECT_THAT(drain(dead[shard]), ElementsAre(body('a'), body('b', 9'000)));
    EXPECT_EQ(pieces(shard), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(strategies, LargeDeadLetters, testing::Values("at-most-once", "at-least-once"));

TEST_F(LargeBodies, expire_like_others) {
  start();
  TestSession& client = session();
  broker::Table arguments;
  arguments.set("x-message-ttl", {std::int64_t{1'000}});
  client.declare("q", arguments);
  client.publish_to("q", {body('a')});
  node->pass_ms(2'000);
  settle();
  EXPECT_EQ(client.ready("q"), 0U);
  EXPECT_EQ(pieces(), 0U);
}

TEST_F(LargeBodies, wait_at_a_delayed_exchange_over_a_restart) {
  start(3);
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    TestSession& client = session(shard);
    broker::Table fanout;
    fanout.set("x-delayed-type", {std::string("fanout")});
    const std::string queue = queue_on(shard);
    client.declare(queue);
    ASSERT_TRUE(client.declare_exchange("later", "x-delayed-message", fanout));
    ASSERT_TRUE(client.bind("later", queue));
  }
  TestMessage message{"later", "", body('a', 9'000)};
  message.headers.set("x-delay", {std::int64_t{60'000}});
  TestSession& client = session(1);
  client.publish({message});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  restart();
  node->pass_ms(1'000);
  EXPECT_THAT(drain(queue_on(0)), IsEmpty());
  node->pass_ms(70'000);
  settle();
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    EXPECT_THAT(drain(queue_on(shard)), ElementsAre(body('a', 9'000))) << "shard " << shard;
    EXPECT_EQ(pieces(shard), 0U);
  }
}

TEST_F(LargeBodies, count_whole_for_the_limits_of_a_vhost) {
  start(2);
  TestSession& client = session(1);
  const std::string queue = queue_on(0);
  client.declare(queue);
  client.publish_to(queue, {body('a', 50'000)});
  std::optional<Result<broker::Decision>> answer;
  node->turn(0, [&] {
    node->shard(0).administer(
        broker::PutLimitRequest{{broker::LimitOf::vhost, "/", "max-bytes", std::int64_t{60'000}}},
        [&](Result<broker::Decision> a) { answer = std::move(a); });
  });
  ASSERT_TRUE(node->until([&] { return answer.has_value(); }));
  settle();
  client.publish_to(queue, {body('b', 20'000)});
  settle();
  client.publish({{"", queue, body('c')}});
  ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
  EXPECT_THAT(client.rejected, SizeIs(1));
  EXPECT_THAT(drain(queue), ElementsAre(body('a', 50'000), body('b', 20'000)));
  client.publish_to(queue, {body('d')});
  EXPECT_THAT(drain(queue), ElementsAre(body('d')));
  EXPECT_EQ(pieces(), 0U);
}

TEST_F(LargeBodies, are_read_from_checkpoints_and_listings_too) {
  options.journal.checkpoint_bytes = 1;
  start();
  TestSession& client = session();
  client.declare("q");
  client.declare("other");
  client.publish_to("q", {body('a', 20'000)});
  for (int i = 0; i < 400; ++i) client.publish_to("other", {std::string(900, '.')});
  settle();
  ASSERT_GT(node->shard(0).journal().stats().checkpoints, 0U);
  crash();
  settle();
  EXPECT_EQ(pieces(), 50U);
  EXPECT_THAT(drain("q"), ElementsAre(body('a', 20'000)));
}

}  // namespace weir::node
