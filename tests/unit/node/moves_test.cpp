// Messages that are moved and copied to other places.
#include <memory>
#include <optional>
#include <set>

#include "node/message_mover.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;

class Moves : public NodeTest {
 protected:
  static MoveOptions between(const std::string& from, const std::string& to) {
    MoveOptions options;
    options.walk.queue = from;
    options.to = MoveOptions::To::queue;
    options.routing_key = to;
    return options;
  }
  // On shard 0.
  void begin(MoveOptions options) {
    report_.reset();
    mover_ =
        std::make_unique<MessageMover>(node->shard(0), std::move(options),
                                       [this](Result<MoveReport> report) { report_ = std::move(report); });
    node->turn(0, [this] {
      const Status begun =
          mover_->begin({.user = "guest", .vhost = "/", .protocol = "HTTP", .client = "test", .peer = {}});
      if (!begun) report_ = std::unexpected(begun.error());
    });
  }
  MoveReport move(MoveOptions options) {
    begin(std::move(options));
    EXPECT_TRUE(node->until([this] { return report_.has_value(); }));
    node->turn(0, [this] { mover_.reset(); });
    settle();
    if (report_ && *report_) return **report_;
    ADD_FAILURE() << (report_ ? report_->error().message : "no answer");
    return {};
  }
  std::vector<std::string> drain(const std::string& queue) {
    std::vector<std::string> all;
    TestSession& reader = session();
    while (const auto got = reader.get(queue, true)) all.push_back(got->body);
    settle();
    return all;
  }
  static std::vector<std::string> numbers(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(std::to_string(i));
    return all;
  }

  std::unique_ptr<MessageMover> mover_;
  std::optional<Result<MoveReport>> report_;
};

TEST_F(Moves, bring_messages_to_another_queue_in_order) {
  start(3);
  TestSession& client = session(1);
  const std::string from = queue_on(1, "from"), to = queue_on(2, "to");
  client.declare(from);
  client.declare(to);
  client.publish_to(from, numbers(1'700));
  const MoveReport report = move(between(from, to));
  EXPECT_EQ(report.moved, 1'700U);
  EXPECT_TRUE(report.done);
  EXPECT_TRUE(report.stopped.empty());
  EXPECT_EQ(client.ready(from), 0U);
  crash();
  EXPECT_THAT(drain(to), testing::ElementsAreArray(numbers(1'700)));
  EXPECT_THAT(drain(from), IsEmpty());
}

TEST_F(Moves, go_on_where_the_last_one_ended) {
  start(2);
  TestSession& client = session(1);
  const std::string from = queue_on(1, "from"), to = queue_on(0, "to");
  client.declare(from);
  client.declare(to);
  client.publish_to(from, numbers(100));
  MoveOptions options = between(from, to);
  options.walk.found_max = 30;
  unsigned calls = 0;
  MoveReport report;
  for (; !report.done && calls < 10; ++calls) {
    report = move(options);
    options.walk.only = report.queue;
    options.walk.from = {WalkFrom::At::seq, report.next.value};
    options.walk.until = report.until;
  }
  EXPECT_EQ(calls, 4U);
  EXPECT_THAT(drain(to), testing::ElementsAreArray(numbers(100)));
}

TEST_F(Moves, of_a_queue_into_itself_end) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", numbers(10));
  EXPECT_EQ(move(between("q", "q")).moved, 10U);
  EXPECT_THAT(drain("q"), testing::ElementsAreArray(numbers(10)));
}

TEST_F(Moves, leave_what_nobody_takes_as_it_was) {
  start(2);
  TestSession& client = session(1);
  const std::string from = queue_on(1, "from");
  const QueueStatus status = client.declare(from);
  client.publish_to(from, {"a", "b"});
  const MoveReport nowhere = move(between(from, "nobody"));
  EXPECT_EQ(nowhere.moved, 0U);
  EXPECT_EQ(nowhere.unroutable, 2U);
  EXPECT_TRUE(nowhere.done);
  broker::Table bounded;
  bounded.set("x-max-length", {std::int32_t{1}});
  bounded.set("x-overflow", {std::string("reject-publish")});
  const std::string full = queue_on(0, "full");
  client.declare(full, bounded);
  const MoveReport half = move(between(from, full));
  EXPECT_EQ(half.moved, 1U);
  EXPECT_EQ(half.rejected, 1U);
  EXPECT_EQ(find(status)->out(), 0U);
  const auto got = client.get(from);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->body, "b");
  EXPECT_FALSE(got->redelivered);
}

TEST_F(Moves, that_no_queue_takes_anything_of_are_answered_without_anything_else_to_do) {
  start();
  TestSession& client = session();
  client.declare("from");
  broker::Table none;
  none.set("x-max-length", {std::int32_t{0}});
  none.set("x-overflow", {std::string("reject-publish")});
  client.declare("full", none);
  client.publish_to("from", numbers(5));
  EXPECT_EQ(move(between("from", "full")).rejected, 5U);
}

TEST_F(Moves, are_refused_to_who_may_not_and_where_there_is_nothing) {
  start();
  TestSession& client = session();
  client.declare("q");
  client.publish_to("q", {"a"});
  begin(between("none", "q"));
  ASSERT_TRUE(node->until([this] { return report_.has_value(); }));
  EXPECT_EQ(report_->error().code, ErrorCode::not_found);
  MoveOptions options = between("q", "q");
  options.to = MoveOptions::To::exchange;
  options.exchange = "none";
  begin(options);
  ASSERT_TRUE(report_.has_value());
  EXPECT_EQ(report_->error().code, ErrorCode::not_found);
  EXPECT_EQ(report_->error().message, "no exchange 'none' in vhost '/'");
  mover_.reset();
  EXPECT_THAT(drain("q"), ElementsAre("a"));
}

TEST_F(Moves, copy_and_leave_the_originals) {
  start(2);
  TestSession& client = session(1);
  const std::string from = queue_on(1, "from"), to = queue_on(0, "to");
  const QueueStatus status = client.declare(from);
  client.declare(to);
  client.publish_to(from, {"a", "b"});
  client.publish_to(from, {"c"}, false);
  MoveOptions options = between(from, to);
  options.copies = true;
  EXPECT_EQ(move(options).moved, 3U);
  EXPECT_EQ(find(status)->ready(), 3U);
  EXPECT_THAT(drain(to), ElementsAre("a", "b", "c"));
  EXPECT_THAT(drain(from), ElementsAre("a", "b", "c"));
}

TEST_F(Moves, bring_dead_letters_back_to_where_they_died) {
  start(2);
  TestSession& client = session(1);
  const std::string work = queue_on(1, "work"), retry = queue_on(0, "retry"), dead = queue_on(0, "dead");
  const auto letters_to = [](const std::string& queue) {
    broker::Table arguments;
    arguments.set("x-dead-letter-exchange", {std::string()});
    arguments.set("x-dead-letter-routing-key", {queue});
    return arguments;
  };
  client.declare(work, letters_to(retry));
  client.declare(retry, letters_to(dead));
  client.declare(dead);
  client.publish_to(work, {"twice"});
  client.settle(*client.get(work), Outcome::discard);
  ASSERT_TRUE(node->until([&] { return client.ready(retry) == 1; }));
  client.settle(*client.get(retry), Outcome::discard);
  ASSERT_TRUE(node->until([&] { return client.ready(dead) == 1; }));
  client.publish_to(dead, {"never died"});
  MoveOptions options = between(dead, "");
  options.routing_key.reset();
  options.to = MoveOptions::To::last_death;
  MoveReport report = move(options);
  EXPECT_EQ(report.moved, 1U);
  EXPECT_EQ(report.without_death, 1U);
  ASSERT_EQ(client.ready(retry), 1U);
  client.settle(*client.get(retry), Outcome::discard);
  ASSERT_TRUE(node->until([&] { return client.ready(dead) == 2; }));
  options.to = MoveOptions::To::first_death;
  report = move(options);
  EXPECT_EQ(report.moved, 1U);
  const auto back = client.get(work);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->body, "twice");
  EXPECT_EQ(back->deaths.deaths.size(), 2U) << "what became of it is not forgotten";
  EXPECT_EQ(client.get(dead)->body, "never died");
}

TEST_F(Moves, bring_large_bodies_along) {
  options.body_sizes = {1'000, 400};
  start(2);
  TestSession& client = session(1);
  const std::string from = queue_on(1, "from"), to = queue_on(0, "to");
  client.declare(from);
  client.declare(to);
  std::vector<std::string> all{"small", std::string(5'000, 'x'), std::string(1'300, 'y'), "last"};
  client.publish_to(from, all);
  EXPECT_EQ(move(between(from, to)).moved, 4U);
  EXPECT_EQ(node->shard(1).host().bodies().queue().total(), 0U);
  crash();
  EXPECT_THAT(drain(to), testing::ElementsAreArray(all));
}

TEST_F(Moves, that_end_early_lose_nothing) {
  start(2);
  TestSession& client = session(1);
  const std::string from = queue_on(1, "from"), to = queue_on(0, "to");
  const QueueStatus status = client.declare(from);
  client.declare(to);
  client.publish_to(from, numbers(900));
  begin(between(from, to));
  ASSERT_TRUE(node->until([&] { return find(status)->out() > 0; }));
  node->turn(0, [this] { mover_.reset(); });
  settle();
  EXPECT_EQ(find(status)->out(), 0U);
  const std::size_t there = drain(from).size(), here = drain(to).size();
  EXPECT_GE(there + here, 900U);
}

TEST_F(Moves, cut_off_at_any_moment_by_a_crash_lose_nothing) {
  for (unsigned steps = 0; steps < 120; steps += 7) {
    options.seed = steps;
    start(3);
    {
      TestSession& client = session(1);
      const std::string from = queue_on(1, "from"), to = queue_on(2, "to");
      client.declare(from);
      client.declare(to);
      ASSERT_TRUE(client.ask([&](Session& by) { by.purge_queue(from); }));
      ASSERT_TRUE(client.ask([&](Session& by) { by.purge_queue(to); }));
      client.publish_to(from, numbers(600));
      begin(between(from, to));
      for (unsigned i = 0; i < steps; ++i) node->step();
      const bool reported = report_.has_value();
      machine.crash();
      mover_.reset();
      sessions.clear();
      node.reset();
      boot();
      std::vector<std::string> there = drain(from);
      const std::vector<std::string> here = drain(to);
      if (reported) EXPECT_THAT(there, IsEmpty());
      std::set<std::string> all(there.begin(), there.end());
      all.insert(here.begin(), here.end());
      EXPECT_EQ(all.size(), 600U) << "after " << steps << " steps";
    }
    sessions.clear();
    const Status stopped = node->stop();
    ASSERT_TRUE(stopped.has_value());
    node.reset();
  }
}

}  // namespace weir::node
