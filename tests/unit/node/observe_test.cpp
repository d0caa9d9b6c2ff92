// What those see who look at a node: that the numbers are right whatever happens, and that looking holds nobody up.
#include "node/observe.h"

#include <algorithm>
#include <map>
#include <optional>

#include "node/observer.h"
#include "node_fixture.h"

namespace weir::node {
namespace {

using broker::QueueCount;

class ObserveTest : public NodeTest {
 protected:
  Observed look(const ObserveScope& scope, std::uint16_t shard = 0) {
    std::optional<Observed> seen;
    std::unique_ptr<Observing> question;
    node->turn(shard, [&] {
      question = node->shard(shard).observe(scope, [&](Observed&& rows) { seen = std::move(rows); });
    });
    EXPECT_TRUE(node->until([&] { return seen.has_value(); }));
    return seen ? std::move(*seen) : Observed{};
  }
  QueueRow queue_row(const QueueStatus& queue) {
    ObserveScope scope;
    scope.queues = true;
    scope.only = {queue.queue};
    Observed seen = look(scope);
    EXPECT_EQ(seen.queues.size(), 1U);
    return seen.queues.empty() ? QueueRow{} : seen.queues[0];
  }
};

TEST_F(ObserveTest, a_queue_that_nobody_used_has_only_zeros) {
  start();
  const QueueStatus queue = session().declare("q");
  const QueueRow row = queue_row(queue);
  EXPECT_EQ(row.queue, queue.queue);
  EXPECT_EQ(row.messages(), 0U);
  EXPECT_FALSE(row.used);
  EXPECT_EQ(row.counts, Counters<QueueCount>{});
  EXPECT_EQ(row.oldest_ms, 0U);
  EXPECT_FALSE(row.oldest_on_disk);
  EXPECT_GT(row.memory_bytes, 0U);
}

TEST_F(ObserveTest, messages_and_bytes_are_counted_where_they_are) {
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  client.publish_to("q", {"one", "two", "three"});
  client.publish_to("q", {"in memory"}, false);
  const QueueRow full = queue_row(queue);
  EXPECT_EQ(full.ready, 4U);
  EXPECT_EQ(full.unacknowledged, 0U);
  EXPECT_EQ(full.persistent, 3U);
  EXPECT_GT(full.bytes_persistent, 0U);
  EXPECT_GT(full.bytes_in_memory, 0U);
  EXPECT_EQ(full.bytes, full.bytes_persistent + full.bytes_in_memory);
  EXPECT_EQ(full.counts[QueueCount::publish], 4U);

  const auto first = client.get("q");
  const auto second = client.get("q");
  ASSERT_TRUE(first && second);
  const QueueRow half = queue_row(queue);
  EXPECT_EQ(half.ready, 2U);
  EXPECT_EQ(half.unacknowledged, 2U);
  EXPECT_GT(half.bytes_unacknowledged, 0U);
  EXPECT_EQ(half.bytes, full.bytes);
  EXPECT_EQ(half.counts[QueueCount::get], 2U);

  client.settle(*first);
  client.settle(*second, Outcome::requeue);
  settle();
  const QueueRow after = queue_row(queue);
  EXPECT_EQ(after.ready, 3U);
  EXPECT_EQ(after.unacknowledged, 0U);
  EXPECT_EQ(after.bytes_unacknowledged, 0U);
  EXPECT_EQ(after.persistent, 2U);
  EXPECT_LT(after.bytes, full.bytes);
  EXPECT_EQ(after.counts[QueueCount::ack], 1U);

  while (const auto got = client.get("q", true)) {
  }
  const QueueRow empty = queue_row(queue);
  EXPECT_EQ(empty.messages(), 0U);
  EXPECT_EQ(empty.bytes, 0U);
  EXPECT_EQ(empty.persistent, 0U);
  EXPECT_EQ(empty.counts[QueueCount::get_no_ack], 3U);
  EXPECT_EQ(empty.counts[QueueCount::get_empty], 1U);
  EXPECT_EQ(empty.counts[QueueCount::redeliver], 1U);
}

TEST_F(ObserveTest, deliveries_are_counted_by_how_they_are_settled) {
  start();
  TestSession& publisher = session();
  const QueueStatus queue = publisher.declare("q");
  TestSession& careful = session();
  ASSERT_TRUE(careful.consume("q", 1, 2).has_value());
  publisher.publish_to("q", {"a", "b", "c"});
  settle();
  ASSERT_EQ(careful.deliveries.size(), 2U);
  QueueRow row = queue_row(queue);
  EXPECT_EQ(row.counts[QueueCount::deliver], 2U);
  EXPECT_EQ(row.consumers, 1U);
  EXPECT_EQ(row.ready, 1U);
  EXPECT_EQ(row.unacknowledged, 2U);
  careful.ask([](Session& asked) { asked.cancel(1); });
  careful.settle(careful.deliveries[0], Outcome::discard);
  careful.settle(careful.deliveries[1], Outcome::requeue);
  settle();
  TestSession& careless = session();
  ASSERT_TRUE(careless.consume("q", 1, 0, true).has_value());
  settle();
  row = queue_row(queue);
  EXPECT_EQ(row.counts[QueueCount::ack], 0U) << "what nobody wanted was not acknowledged";
  EXPECT_EQ(row.counts[QueueCount::deliver_no_ack], careless.deliveries.size());
  EXPECT_EQ(row.messages(), 0U);
  EXPECT_EQ(row.bytes, 0U);
  EXPECT_EQ(row.bytes_unacknowledged, 0U);
}

TEST_F(ObserveTest, what_expires_or_goes_to_a_dead_letter_exchange_leaves_no_bytes_behind) {
  start();
  TestSession& client = session();
  const QueueStatus grave = client.declare("grave");
  broker::Table arguments;
  arguments.set("x-message-ttl", {std::int32_t{50}});
  arguments.set("x-dead-letter-exchange", {std::string()});
  arguments.set("x-dead-letter-routing-key", {std::string("grave")});
  const QueueStatus queue = client.declare("q", arguments);
  client.publish_to("q", {"one", "two"});
  const auto taken = client.get("q");
  ASSERT_TRUE(taken);
  client.settle(*taken, Outcome::discard);
  node->pass_ms(1'000);
  settle();
  const QueueRow row = queue_row(queue);
  EXPECT_EQ(row.messages(), 0U);
  EXPECT_EQ(row.held, 0U);
  EXPECT_EQ(row.bytes, 0U);
  EXPECT_EQ(row.bytes_unacknowledged, 0U);
  EXPECT_EQ(queue_row(grave).ready, 2U);
  EXPECT_EQ(queue_row(grave).counts[QueueCount::publish], 2U);
}

TEST_F(ObserveTest, after_a_crash_the_bytes_are_those_of_what_is_left) {
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  client.publish_to("q", {"one", "two", "three"});
  const std::uint64_t bytes = queue_row(queue).bytes;
  crash();
  const QueueRow row = queue_row(queue);
  EXPECT_EQ(row.ready, 3U);
  EXPECT_EQ(row.persistent, 3U);
  EXPECT_EQ(row.bytes, bytes);
  EXPECT_EQ(row.counts[QueueCount::publish], 0U) << "counts begin with the process";
  TestSession& again = session();
  while (again.get("q", true)) {
  }
  EXPECT_EQ(queue_row(queue).bytes, 0U);
}

TEST_F(ObserveTest, the_oldest_message_tells_since_when_a_queue_has_waited) {
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  const std::uint64_t first_ms = node->clock().wall_ms();
  client.publish_to("q", {"first"});
  node->pass_ms(5'000);
  const std::uint64_t second_ms = node->clock().wall_ms();
  client.publish_to("q", {"second"});
  const std::uint64_t oldest_ms = queue_row(queue).oldest_ms;
  EXPECT_GE(oldest_ms, first_ms);
  EXPECT_LT(oldest_ms, second_ms);
  const auto got = client.get("q");
  ASSERT_TRUE(got);
  EXPECT_EQ(queue_row(queue).oldest_ms, oldest_ms) << "it is left until it is settled";
  client.settle(*got);
  settle();
  EXPECT_GE(queue_row(queue).oldest_ms, second_ms);
}

TEST_F(ObserveTest, an_oldest_message_that_is_on_the_disk_is_read_for_who_asks_for_its_queue_alone) {
  options.journal.cache_bytes = 32U << 10;
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  const std::uint64_t before_ms = node->clock().wall_ms();
  client.publish_to("q", {"the oldest"});
  const std::uint64_t after_ms = node->clock().wall_ms();
  node->pass_ms(10'000);
  for (int i = 0; i < 300; ++i) client.publish_to("q", {std::string(1'000, 'x')});
  restart();
  ObserveScope scope;
  scope.queues = true;
  const Observed all = look(scope);
  ASSERT_EQ(all.queues.size(), 1U);
  EXPECT_TRUE(all.queues[0].oldest_on_disk);
  EXPECT_EQ(all.queues[0].oldest_ms, 0U);
  const QueueRow one = queue_row(queue);
  EXPECT_FALSE(one.oldest_on_disk);
  EXPECT_GE(one.oldest_ms, before_ms);
  EXPECT_LE(one.oldest_ms, after_ms);
  EXPECT_EQ(look(scope).queues[0].oldest_ms, one.oldest_ms) << "it is remembered";
}

TEST_F(ObserveTest, all_shards_answer_and_sums_are_those_of_the_rows) {
  start(3);
  TestSession& client = session(1);
  std::map<QueueId, std::uint64_t> expected;
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    const std::string name = queue_on(shard, "q" + std::to_string(shard));
    const QueueStatus queue = client.declare(name);
    client.publish_to(name, std::vector<std::string>(shard + 1U, "x"));
    expected[queue.queue] = shard + 1U;
  }
  ObserveScope scope;
  scope.queues = scope.sums = scope.shards = true;
  const Observed seen = look(scope, 2);
  ASSERT_EQ(seen.queues.size(), 3U);
  std::uint64_t bytes = 0;
  for (const QueueRow& row : seen.queues) {
    EXPECT_EQ(row.ready, expected[row.queue]);
    EXPECT_EQ(row.shard, node->shard(0).topology().find_queue(row.queue)->shard);
    bytes += row.bytes;
  }
  ASSERT_EQ(seen.vhosts.size(), 1U);
  EXPECT_EQ(seen.vhosts[0].name, "/");
  EXPECT_EQ(seen.vhosts[0].queues, 3U);
  EXPECT_EQ(seen.vhosts[0].ready, 6U);
  EXPECT_EQ(seen.vhosts[0].bytes, bytes);
  ASSERT_EQ(seen.shards.size(), 3U);
  for (std::uint16_t shard = 0; shard < 3; ++shard) {
    EXPECT_EQ(seen.shards[shard].shard, ShardId{shard});
    EXPECT_EQ(seen.shards[shard].queues, 1U);
    EXPECT_GT(seen.shards[shard].journal.commits, 0U);
    EXPECT_EQ(seen.shards[shard].journal.commit_us.count(), seen.shards[shard].journal.commits);
  }
  scope.vhost = "elsewhere";
  EXPECT_TRUE(look(scope).queues.empty());
}

TEST_F(ObserveTest, a_turn_visits_a_bounded_number_of_queues) {
  start();
  TestSession& client = session();
  constexpr std::size_t queues = 10'000;
  for (std::size_t i = 0; i < queues; ++i) client.declare("q" + std::to_string(i), false);
  settle();
  ObserveScope scope;
  scope.queues = true;
  std::optional<Observed> seen;
  std::unique_ptr<Observing> question;
  unsigned turns = 0;
  node->after_turn = [&](std::uint16_t) { ++turns; };
  node->turn(0, [&] {
    question = node->shard(0).observe(scope, [&](Observed&& rows) { seen = std::move(rows); });
    EXPECT_FALSE(seen) << "the answer does not come inside of the call";
  });
  ASSERT_TRUE(node->until([&] { return seen.has_value(); }));
  node->after_turn = {};
  EXPECT_EQ(seen->queues.size(), queues);
  EXPECT_GE(turns, queues / observed_per_turn_max);
}

TEST_F(ObserveTest, queues_that_come_and_go_meanwhile_do_no_harm) {
  start(2);
  TestSession& client = session();
  std::vector<QueueStatus> lasting;
  for (std::size_t i = 0; i < 2'500; ++i) lasting.push_back(client.declare("q" + std::to_string(i), false));
  TestSession& other = session(1);
  ObserveScope scope;
  scope.queues = true;
  std::optional<Observed> seen;
  std::unique_ptr<Observing> question;
  node->turn(
      1, [&] { question = node->shard(1).observe(scope, [&](Observed&& rows) { seen = std::move(rows); }); });
  for (std::size_t i = 0; !seen; ++i) {
    ASSERT_LT(i, 200U);
    other.ask([&](Session& asked) { asked.delete_queue("q" + std::to_string(i), false, false); });
    client.declare("new" + std::to_string(i), false);
  }
  std::map<QueueId, unsigned> times;
  for (const QueueRow& row : seen->queues) ++times[row.queue];
  for (const auto& [id, count] : times) EXPECT_EQ(count, 1U);
  for (std::size_t i = 200; i < lasting.size(); ++i) EXPECT_EQ(times[lasting[i].queue], 1U);
}

TEST_F(ObserveTest, who_does_not_wait_is_not_answered) {
  start(2);
  ObserveScope scope;
  scope.queues = scope.shards = true;
  bool answered = false;
  node->turn(0, [&] { node->shard(0).observe(scope, [&](Observed&&) { answered = true; }); });
  settle();
  EXPECT_FALSE(answered);
}

TEST_F(ObserveTest, consumers_are_told_with_their_connection_and_whose_turn_it_is) {
  start();
  broker::Table arguments;
  arguments.set("x-single-active-consumer", {true});
  TestSession& first = session();
  const QueueStatus queue = first.declare("q", arguments);
  TestSession& second = session();
  ASSERT_TRUE(first.consume("q", 1, 7).has_value());
  ASSERT_TRUE(second.consume("q", 1, 0, true).has_value());
  ObserveScope scope;
  scope.consumers = scope.sessions = true;
  const Observed seen = look(scope);
  ASSERT_EQ(seen.consumers.size(), 2U);
  EXPECT_TRUE(seen.queues.empty());
  const ConsumerRow& active = seen.consumers[0];
  const ConsumerRow& waiting = seen.consumers[1];
  EXPECT_EQ(active.queue, queue.queue);
  EXPECT_EQ(active.prefetch, 7U);
  EXPECT_TRUE(active.ack_required);
  EXPECT_TRUE(active.active);
  EXPECT_EQ(active.activity_status, "single_active");
  EXPECT_FALSE(waiting.active);
  EXPECT_FALSE(waiting.ack_required);
  EXPECT_EQ(waiting.activity_status, "waiting");
  const auto is_of = [&](const ConsumerRow& consumer) {
    return std::count_if(seen.sessions.begin(), seen.sessions.end(),
                         [&](const SessionRow& row) { return row.id == consumer.session; });
  };
  EXPECT_EQ(is_of(active), 1);
  EXPECT_EQ(is_of(waiting), 1);
  EXPECT_NE(active.session, waiting.session);
  EXPECT_EQ(queue_row(queue).active_session, active.session);
}

TEST_F(ObserveTest, thousands_of_consumers_of_one_queue_take_several_turns_and_are_all_told_once) {
  start();
  TestSession& client = session();
  client.declare("q");
  constexpr ConsumerNumber consumers = 2'500;
  for (ConsumerNumber number = 1; number <= consumers; ++number)
    ASSERT_TRUE(client.consume("q", number, 1).has_value());
  ObserveScope scope;
  scope.consumers = true;
  EXPECT_EQ(look(scope).consumers.size(), consumers);
}

TEST_F(ObserveTest, exchanges_count_what_comes_and_to_how_many_queues_it_goes) {
  start(2);
  TestSession& client = session();
  ASSERT_TRUE(client.declare_exchange("ex", "fanout").has_value());
  for (const char* queue : {"a", "b"}) {
    client.declare(queue);
    ASSERT_TRUE(client.bind("ex", queue).has_value());
  }
  TestSession& other = session(1);
  client.publish({{"ex", "k", "1"}, {"ex", "k", "2"}, {"", "nowhere", "3"}});
  other.publish({{"ex", "k", "4"}});
  settle();
  ObserveScope scope;
  scope.exchanges = scope.shards = true;
  const Observed seen = look(scope);
  ASSERT_EQ(seen.exchanges.size(), 2U);
  EXPECT_EQ(seen.exchanges[0].name, "");
  EXPECT_EQ(seen.exchanges[0].counts[ExchangeCount::publish_in], 1U);
  EXPECT_EQ(seen.exchanges[0].counts[ExchangeCount::publish_out], 0U);
  EXPECT_EQ(seen.exchanges[1].name, "ex");
  EXPECT_EQ(seen.exchanges[1].counts[ExchangeCount::publish_in], 3U);
  EXPECT_EQ(seen.exchanges[1].counts[ExchangeCount::publish_out], 6U);
  Traffic all;
  for (const ShardRow& shard : seen.shards) all += shard.traffic;
  const auto& counts = all.of(Protocol::amqp091).sessions;
  EXPECT_EQ(counts[SessionCount::received], 4U);
  EXPECT_EQ(counts[SessionCount::confirmed], 4U);
  EXPECT_EQ(counts[SessionCount::routed], 3U);
  EXPECT_EQ(counts[SessionCount::unroutable_dropped], 1U);
  EXPECT_GT(all.confirm_us.count(), 0U);
  client.ask([](Session& asked) { asked.delete_exchange({"/", "ex"}); });
  EXPECT_EQ(look(scope).exchanges.size(), 1U);
}

TEST_F(ObserveTest, sessions_of_the_broker_itself_are_no_connections) {
  start();
  session();
  ObserveScope scope;
  scope.sessions = scope.shards = true;
  const auto check = [&] {
    const Observed seen = look(scope);
    ASSERT_EQ(seen.sessions.size(), 1U);
    EXPECT_EQ(seen.sessions[0].info.user, "guest");
    ASSERT_EQ(seen.shards.size(), 1U);
    EXPECT_EQ(seen.shards[0].sessions, 1U);
    std::uint64_t opened = 0, closed = 0;
    for (const auto& protocol : seen.shards[0].traffic.by_protocol) {
      opened += protocol.sessions[SessionCount::connections_opened];
      closed += protocol.sessions[SessionCount::connections_closed];
    }
    EXPECT_EQ(opened, 1U);
    EXPECT_EQ(closed, 0U);
  };
  {
    TestSession own(*node, 0,
                    SessionInfo{.user = {},
                                .vhost = "/",
                                .protocol = {},
                                .client = "retained messages",
                                .peer = {},
                                .grants = identity_of_broker().grants});
    own.declare("kept");
    check();
  }
  check();
}

TEST_F(ObserveTest, a_connection_on_any_shard_can_be_asked_to_close) {
  start(2);
  TestSession& near = session(0);
  TestSession& far = session(1);
  ObserveScope scope;
  scope.sessions = true;
  const Observed seen = look(scope);
  ASSERT_EQ(seen.sessions.size(), 2U);
  for (const SessionRow& row : seen.sessions) {
    EXPECT_EQ(row.info.user, "guest");
    EXPECT_EQ(row.info.vhost, "/");
    EXPECT_GT(row.connected_at_ms, 0U);
    if (row.shard == ShardId{1}) {
      node->turn(0, [&] {
        node->shard(0).close_session(row.id, {ErrorCode::cancelled, "Closed via management plugin"});
      });
    }
  }
  settle();
  EXPECT_TRUE(near.close_reasons.empty());
  EXPECT_EQ(far.close_reasons, std::vector<std::string>{"Closed via management plugin"});
  node->turn(0, [&] { node->shard(0).close_session(SessionId{UINT64_MAX}, {ErrorCode::cancelled, ""}); });
  settle();
}

TEST_F(ObserveTest, rates_follow_what_happens_and_fall_to_nothing) {
  options.sample_ms = meter_interval_ms;
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  for (int second = 0; second < 30; ++second) {
    client.publish_to("q", std::vector<std::string>(20, "x"));
    node->pass_ms(1'000);
  }
  const QueueRow busy = queue_row(queue);
  EXPECT_NEAR(busy.rates[QueueCount::publish], 20, 5);
  EXPECT_EQ(busy.seconds_to_drain(), std::nullopt) << "it fills";
  EXPECT_EQ(busy.idle_since_ms, 0U);
  std::vector<TakenDelivery> taken;
  for (int i = 0; i < 300; ++i) {
    client.get("q", true);
    node->pass_ms(50);
  }
  const QueueRow draining = queue_row(queue);
  ASSERT_TRUE(draining.seconds_to_drain());
  EXPECT_NEAR(*draining.seconds_to_drain(), 300 / draining.rates[QueueCount::get_no_ack], 1);
  node->pass_ms(30'000);
  const QueueRow idle = queue_row(queue);
  EXPECT_EQ(idle.rates[QueueCount::publish], 0);
  EXPECT_EQ(idle.rates[QueueCount::get_no_ack], 0);
  EXPECT_GT(idle.idle_since_ms, 0U);
  EXPECT_LT(idle.idle_since_ms, node->clock().wall_ms() - 15'000);
}

TEST_F(ObserveTest, only_queues_that_something_happens_to_are_seen_where_that_is_asked_for) {
  options.sample_ms = meter_interval_ms;
  options.shards = 2;
  start();
  TestSession& client = session();
  for (int i = 0; i < 20; ++i) client.declare("still" + std::to_string(i));
  const QueueStatus moving = client.declare("moving");
  client.publish_to("moving", {"a"});
  node->pass_ms(5'000);
  ObserveScope scope;
  scope.queues = scope.moving = true;
  const Observed seen = look(scope);
  ASSERT_EQ(seen.queues.size(), 1U);
  EXPECT_EQ(seen.queues[0].queue, moving.queue);
  node->pass_ms(30'000);
  EXPECT_TRUE(look(scope).queues.empty());
}

TEST_F(ObserveTest, names_come_with_a_number_to_sort_by_also_of_queues_that_come_and_go) {
  options.shards = 2;
  start();
  TestSession& client = session();
  for (int i = 0; i < 50; ++i) client.declare("q" + std::to_string(i));
  for (int i = 0; i < 50; i += 2) {
    ASSERT_TRUE(
        client.ask([&](Session& broker) { broker.delete_queue("q" + std::to_string(i), false, false); }));
  }
  client.declare("q0");
  client.publish_to("q7", {"a", "b", "c"});
  ObserveScope scope;
  scope.names = true;
  scope.key = [](const QueueRow& row) { return static_cast<double>(row.messages()); };
  std::map<std::string, double> found;
  for (const auto& part : look(scope).names) {
    for (const QueueName& name : part) EXPECT_TRUE(found.emplace(name.vhost + name.name, name.key).second);
  }
  EXPECT_EQ(found.size(), 26U);
  EXPECT_EQ(found.at("/q7"), 3);
  EXPECT_EQ(found.at("/q0"), 0);
  EXPECT_FALSE(found.contains("/q2"));
  scope.vhost = "elsewhere";
  EXPECT_TRUE(look(scope).names.empty());
}

TEST_F(ObserveTest, a_queue_whose_consumers_have_no_room_has_less_capacity) {
  options.sample_ms = meter_interval_ms;
  start();
  TestSession& client = session();
  const QueueStatus queue = client.declare("q");
  TestSession& consumer = session();
  ASSERT_TRUE(consumer.consume("q", 1, 1).has_value());
  EXPECT_EQ(queue_row(queue).consumer_capacity, 1);
  client.publish_to("q", {"a", "b", "c"});
  node->pass_ms(20'000);
  EXPECT_LT(queue_row(queue).consumer_capacity, 0.1);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_GT(consumer.deliveries.size(), i);
    consumer.settle(consumer.deliveries[i]);
    settle();
  }
  node->pass_ms(20'000);
  EXPECT_GT(queue_row(queue).consumer_capacity, 0.9);
}

}  // namespace
}  // namespace weir::node
