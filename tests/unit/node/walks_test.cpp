// Walks over a queue's messages.
#include <memory>

#include "node/walk.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class BodyIs final : public MessageTest {
 public:
  explicit BodyIs(std::string part) : part_(std::move(part)) {}
  Verdict test(const broker::StoredMessage& message, bool body_is_here, bool,
               broker::HeaderSource&) const override {
    if (!body_is_here) return Verdict::unread;
    return as_text(message.body).find(part_) != std::string_view::npos ? Verdict::yes : Verdict::no;
  }

 private:
  std::string part_;
};

class Walks : public NodeTest {
 protected:
  static WalkOptions over(const std::string& queue) {
    WalkOptions options;
    options.queue = queue;
    return options;
  }
  static WalkedRef walk(TestSession& by, WalkOptions options) {
    const Reply reply = by.ask([&](Session& session) { session.walk(std::move(options)); });
    if (reply) return std::get<WalkedRef>(*reply);
    ADD_FAILURE() << reply.error().message;
    return std::make_shared<Walked>();
  }
  static std::vector<std::string> bodies(const Walked& walked) {
    std::vector<std::string> all;
    for (const WalkedMessage& one : walked.messages) all.emplace_back(as_text(one.message().body));
    return all;
  }
  static void publish_numbers(TestSession& by, const std::string& queue, std::size_t count,
                              const std::string& behind = {}) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(std::to_string(i) + behind);
    by.publish_to(queue, all);
  }
};

TEST_F(Walks, show_what_is_there_in_every_state_and_change_nothing) {
  start(2);
  const std::string queue = queue_on(1);
  TestSession& client = session(0);
  const QueueStatus status = client.declare(queue);
  client.publish_to(queue, {"a", "b"});
  client.publish_to(queue, {"c"}, false);
  const auto taken = client.get(queue);
  ASSERT_TRUE(taken.has_value());
  const WalkedRef walked = walk(client, over(queue));
  EXPECT_THAT(bodies(*walked), ElementsAre("a", "b", "c"));
  EXPECT_EQ(walked->messages[0].state, MessageState::unacknowledged);
  EXPECT_EQ(walked->messages[1].state, MessageState::ready);
  EXPECT_TRUE(walked->done);
  EXPECT_EQ(walked->looked_at, 3U);
  EXPECT_EQ(walked->messages_there, 3U);
  EXPECT_EQ(find(status)->ready(), 2U);
  EXPECT_EQ(find(status)->out(), 1U);
  const auto next = client.get(queue);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->body, "b");
  EXPECT_FALSE(next->redelivered);
}

TEST_F(Walks, begin_where_they_are_told) {
  start();
  TestSession& client = session();
  client.declare("q");
  publish_numbers(client, "q", 3);
  node->pass_ms(5'000);
  const std::uint64_t later_ms = node->clock().wall_ms();
  publish_numbers(client, "q", 3, "'");
  const auto from = [&](WalkFrom at) {
    WalkOptions options = over("q");
    options.from = at;
    return bodies(*walk(client, options));
  };
  const Seq third = walk(client, over("q"))->messages[2].seq;
  EXPECT_THAT(from({WalkFrom::At::first}), SizeIs(6));
  EXPECT_THAT(from({WalkFrom::At::last, 1}), ElementsAre("2'"));
  EXPECT_THAT(from({WalkFrom::At::last, 4}), ElementsAre("2", "0'", "1'", "2'"));
  EXPECT_THAT(from({WalkFrom::At::last, 100}), SizeIs(6));
  EXPECT_THAT(from({WalkFrom::At::seq, third.value}), ElementsAre("2", "0'", "1'", "2'"));
  EXPECT_THAT(from({WalkFrom::At::time, later_ms - 10}), ElementsAre("0'", "1'", "2'"));
  EXPECT_THAT(from({WalkFrom::At::time, 1}), SizeIs(6));
  EXPECT_THAT(from({WalkFrom::At::time, later_ms + 60'000}), IsEmpty());
  EXPECT_THAT(from({WalkFrom::At::next}), IsEmpty());
  WalkOptions early = over("q");
  early.received_max_ms = later_ms - 1'000;
  EXPECT_THAT(bodies(*walk(client, early)), ElementsAre("0", "1", "2"));
}

TEST_F(Walks, find_what_passes_a_test_in_steps_that_follow_each_other) {
  start(2);
  const std::string queue = queue_on(1);
  TestSession& client = session(0);
  client.declare(queue);
  publish_numbers(client, queue, 1'000);
  WalkOptions options = over(queue);
  options.test = std::make_shared<BodyIs>("77");
  options.looked_at_max = 100;
  std::vector<std::string> found;
  std::uint64_t looked_at = 0;
  for (unsigned calls = 0; calls < 20; ++calls) {
    const WalkedRef walked = walk(client, options);
    EXPECT_LE(walked->looked_at, 100U);
    looked_at += walked->looked_at;
    for (const std::string& body : bodies(*walked)) found.push_back(body);
    if (walked->done) break;
    client.publish_to(queue, {"77 that came later"});
    options.from = {WalkFrom::At::seq, walked->next.value};
    options.until = walked->until;
    options.only = walked->queue;
  }
  EXPECT_THAT(found, ElementsAre("77", "177", "277", "377", "477", "577", "677", "770", "771", "772", "773",
                                 "774", "775", "776", "777", "778", "779", "877", "977"));
  EXPECT_EQ(looked_at, 1'000U) << "what came later is not the walk's";
}

TEST_F(Walks, read_what_is_on_the_disk_alone_and_keep_to_their_bounds) {
  start();
  TestSession& client = session();
  client.declare("q");
  const std::string big(5'000, 'x');
  for (unsigned i = 0; i < 20; ++i) publish_numbers(client, "q", 100, big);
  restart();
  TestSession& looker = session();
  const WalkedRef all = walk(looker, [&] {
    WalkOptions options = over("q");
    options.count_only = true;
    return options;
  }());
  EXPECT_EQ(all->found, 2'000U);
  EXPECT_GT(all->read_bytes, 2'000 * big.size());
  WalkOptions options = over("q");
  options.body_bytes_max = 2;
  options.brought_bytes_max = 1'000;
  const WalkedRef some = walk(looker, options);
  EXPECT_FALSE(some->done);
  EXPECT_LT(some->messages.size(), 60U);
  EXPECT_EQ(some->messages[10].message().body.size(), 2U);
  EXPECT_EQ(some->messages[10].body_bytes, big.size() + 2);
  options.brought_bytes_max = 0;
  options.read_bytes_max = 50'000;
  EXPECT_LT(walk(looker, options)->looked_at, 12U);
}

TEST_F(Walks, take_out_what_passes_and_restore_it_as_it_was) {
  start(2);
  const std::string queue = queue_on(1);
  TestSession& client = session(0);
  const QueueStatus status = client.declare(queue);
  publish_numbers(client, queue, 30);
  WalkOptions options = over(queue);
  options.what = WalkOptions::Do::take;
  options.test = std::make_shared<BodyIs>("2");
  const WalkedRef taken = walk(client, options);
  EXPECT_THAT(bodies(*taken), SizeIs(12));
  EXPECT_EQ(find(status)->out(), 12U);
  EXPECT_EQ(client.get(queue)->body, "0");
  EXPECT_EQ(client.get(queue)->body, "1");
  const auto third = client.get(queue);
  EXPECT_EQ(third->body, "3") << "2 is out";
  client.within([&](Session& by) {
    for (std::size_t i = 0; i < taken->messages.size(); ++i)
      by.settle(no_consumer, taken->queue, taken->messages[i].seq,
                i < 2 ? Outcome::restore : Outcome::accept);
  });
  settle();
  const auto back = client.get(queue);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->body, "2");
  EXPECT_FALSE(back->redelivered);
  EXPECT_EQ(client.get(queue)->body, "4");
  EXPECT_EQ(find(status)->total(), 20U);
}

TEST_F(Walks, put_back_what_they_took_when_their_session_ends) {
  start(2);
  const std::string queue = queue_on(1);
  TestSession& client = session(0);
  const QueueStatus status = client.declare(queue);
  publish_numbers(client, queue, 2'000);
  TestSession& mover = session(0);
  mover.ask_only([&](Session& by) {
    WalkOptions options = over(queue);
    options.what = WalkOptions::Do::take;
    by.walk(options);
  });
  ASSERT_TRUE(node->until([&] { return find(status)->out() > 0; }));
  mover.end();
  settle();
  EXPECT_EQ(find(status)->out(), 0U);
  EXPECT_EQ(find(status)->ready(), 2'000U);
}

TEST_F(Walks, remove_what_passes_for_good) {
  start(2);
  const std::string queue = queue_on(1);
  TestSession& client = session(0);
  client.declare(queue);
  publish_numbers(client, queue, 100);
  const auto out = client.get(queue);
  WalkOptions options = over(queue);
  options.what = WalkOptions::Do::remove;
  options.test = std::make_shared<BodyIs>("0");
  const WalkedRef removed = walk(client, options);
  EXPECT_EQ(removed->found, 9U) << "the first one is out";
  EXPECT_THAT(removed->messages, IsEmpty());
  crash();
  TestSession& after = session(0);
  const WalkedRef left = walk(after, over(queue));
  EXPECT_EQ(left->found, 91U);
  EXPECT_EQ(bodies(*left)[0], "0");
  EXPECT_EQ(bodies(*left)[10], "11");
}

TEST_F(Walks, of_a_queue_that_is_deleted_end_with_an_error) {
  start(2);
  const std::string queue = queue_on(1);
  TestSession& client = session(0);
  client.declare(queue);
  publish_numbers(client, queue, 3'000);
  TestSession& walker = session(0);
  walker.ask_only([&](Session& by) { by.walk(over(queue)); });
  ASSERT_TRUE(client.ask([&](Session& by) { by.delete_queue(queue, false, false); }));
  ASSERT_TRUE(node->until([&] { return walker.reply.has_value(); }));
  const Reply none = client.ask([&](Session& by) { by.walk(over(queue)); });
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  const QueueStatus again = client.declare(queue);
  const Reply other = client.ask([&](Session& by) {
    WalkOptions options = over(queue);
    options.only = QueueId{again.queue.value + 1};
    by.walk(options);
  });
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::precondition_failed);
}

TEST_F(Walks, are_so_many_at_a_time) {
  start();
  TestSession& client = session();
  client.declare("q");
  publish_numbers(client, "q", 10);
  std::vector<TestSession*> walkers;
  for (unsigned i = 0; i < 20; ++i) walkers.push_back(&session());
  node->turn(0, [&] {
    for (TestSession* const one : walkers) one->ask_only([&](Session& by) { by.walk(over("q")); });
  });
  settle();
  std::size_t answered = 0, refused = 0;
  for (const TestSession* const one : walkers) {
    ASSERT_TRUE(one->reply.has_value());
    ++(*one->reply ? answered : refused);
  }
  EXPECT_EQ(answered + refused, 20U);
  EXPECT_GE(answered, 16U);
}

TEST_F(Walks, pass_messages_of_queues_with_an_order_of_their_own) {
  for (const char* const kind : {"priority", "groups", "fair"}) {
    start();
    TestSession& client = session();
    broker::Table arguments;
    const std::string how = kind;
    if (how == "priority") arguments.set("x-max-priority", {std::int32_t{5}});
    if (how == "groups") arguments.set("x-message-groups", {std::string("tenant")});
    if (how == "fair") arguments.set("x-fair-by", {std::string("tenant")});
    const QueueStatus status = client.declare(how, arguments);
    std::vector<TestMessage> messages;
    for (unsigned i = 0; i < 20; ++i) {
      TestMessage& one = messages.emplace_back();
      one.routing_key = how;
      one.body = std::to_string(i);
      one.priority = static_cast<std::uint8_t>(i % 3);
      one.headers.set("tenant", {std::to_string(i % 4)});
    }
    client.publish(messages);
    ASSERT_TRUE(node->until([&] { return client.all_confirmed(); }));
    WalkOptions options = over(how);
    options.what = WalkOptions::Do::take;
    options.test = std::make_shared<BodyIs>("1");
    const WalkedRef taken = walk(client, options);
    EXPECT_EQ(taken->messages.size(), 11U) << how;
    client.within([&](Session& by) {
      for (std::size_t i = 0; i < taken->messages.size(); ++i)
        by.settle(no_consumer, taken->queue, taken->messages[i].seq,
                  i % 2 == 0 ? Outcome::restore : Outcome::accept);
    });
    settle();
    std::size_t left = 0;
    while (const auto got = client.get(how)) {
      client.settle(*got);
      ++left;
      ASSERT_LE(left, 20U);
    }
    EXPECT_EQ(left, 20U - 5U) << how;
    settle();
    EXPECT_EQ(find(status)->total(), 0U) << how;
    sessions.clear();
    node.reset();
    machine.crash();
  }
}

}  // namespace weir::node
