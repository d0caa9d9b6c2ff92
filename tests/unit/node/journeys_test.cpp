// Where messages of traced virtual hosts have been.
#include "node/journeys.h"

#include <optional>

#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// In place of a protocol's form: the properties are the message's id.
std::optional<std::string> id_of(broker::NativeForm, Bytes properties, std::string_view name) {
  return name == "message_id" ? std::optional(std::string(as_text(properties))) : std::nullopt;
}
broker::Table parent_of(broker::NativeForm, Bytes properties) {
  broker::Table headers;
  headers.set("traceparent", {"00-" + std::string(as_text(properties)) + "-01"});
  return headers;
}

class JourneysOfNode : public NodeTest {
 protected:
  JourneysOfNode() {
    options.headers_of.property = id_of;
    options.headers_of.headers = parent_of;
  }
  void trace(bool on) {
    broker::VhostDefinition vhost = *node->shard(0).topology().find_vhost("/");
    vhost.tracing = on;
    bool done = false;
    node->turn(0, [&] {
      node->shard(0).administer(broker::PutVhostRequest{vhost, true},
                                [&](Result<broker::Decision> d) { done = d.has_value(); });
    });
    ASSERT_TRUE(node->until([&] { return done; }));
  }
  std::vector<Journey> find(JourneyQuery query) {
    settle();
    std::vector<Journey> found;
    bool answered = false;
    std::unique_ptr<Observing> question;
    node->turn(0, [&] {
      ObserveScope scope;
      scope.journeys = std::move(query);
      question = node->shard(0).observe(std::move(scope), [&](Observed&& seen) {
        found = std::move(seen.journeys);
        answered = true;
      });
    });
    EXPECT_TRUE(node->until([&] { return answered; }));
    return found;
  }
  static std::vector<std::string> steps(const Journey& journey) {
    std::vector<std::string> all;
    for (const JourneyStep& step : journey.steps)
      all.push_back(std::string(step.what) + (step.consumer.empty() ? "" : " " + step.consumer));
    return all;
  }
  void publish(TestSession& by, const std::string& queue, const std::string& id) {
    by.within([&](Session& session) {
      Publish publish;
      publish.publisher = 9;
      publish.seq = ++published_;
      publish.message.persistent = true;
      publish.message.routing_key = queue;
      publish.message.properties = std::as_bytes(std::span(id));
      EXPECT_TRUE(session.publish(publish).has_value());
    });
    settle();
  }

 private:
  std::uint64_t published_ = 0;
};

TEST_F(JourneysOfNode, are_told_of_messages_that_came_while_their_vhost_was_traced) {
  start(3);
  TestSession& client = session(1);
  const std::string queue = queue_on(2), dead = queue_on(0, "dead");
  broker::Table letters;
  letters.set("x-dead-letter-exchange", {std::string()});
  letters.set("x-dead-letter-routing-key", {dead});
  client.declare(queue, letters);
  client.declare(dead);
  publish(client, queue, "before");
  trace(true);
  publish(client, queue, "m1");
  publish(client, queue, "m2");
  client.settle(*client.get(queue));
  client.settle(*client.get(queue), Outcome::requeue);
  client.settle(*client.get(queue), Outcome::discard);
  settle();
  const std::vector<Journey> first =
      find({.vhost = "/", .message_id = "m1", .correlation_id = {}, .traceparent = {}});
  ASSERT_THAT(first, SizeIs(2));
  const bool dead_first = first[0].queue == dead;
  const Journey& in_queue = first[dead_first ? 1 : 0];
  const Journey& in_dead = first[dead_first ? 0 : 1];
  EXPECT_THAT(steps(in_queue), ElementsAre("queued", "got", "requeued", "got", "rejected", "dead-lettered"));
  EXPECT_EQ(in_queue.queue, queue);
  EXPECT_EQ(in_queue.routing_key, queue);
  EXPECT_EQ(in_dead.queue, dead);
  EXPECT_THAT(steps(in_dead), ElementsAre("queued"));
  client.consume(queue, 3, 1);
  settle();
  const std::vector<Journey> second =
      find({.vhost = "/", .message_id = {}, .correlation_id = {}, .traceparent = "m2"});
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].steps.size(), 2U);
  EXPECT_EQ(second[0].steps[1].what, "delivered");
  EXPECT_THAT(find({.vhost = "/", .message_id = "before", .correlation_id = {}, .traceparent = {}}),
              IsEmpty());
  EXPECT_THAT(find({.vhost = "other", .message_id = {}, .correlation_id = {}, .traceparent = {}}), IsEmpty());
  trace(false);
  EXPECT_THAT(find({}), IsEmpty());
}

TEST_F(JourneysOfNode, tell_of_what_is_purged_and_removed_and_moved) {
  start();
  TestSession& client = session();
  client.declare("q");
  trace(true);
  publish(client, "q", "removed");
  WalkOptions remove;
  remove.queue = "q";
  remove.what = WalkOptions::Do::remove;
  ASSERT_TRUE(client.ask([&](Session& by) { by.walk(remove); }).has_value());
  publish(client, "q", "purged");
  ASSERT_TRUE(client.ask([](Session& by) { by.purge_queue("q"); }).has_value());
  const auto journey = [&](const std::string& id) {
    return steps(find({.vhost = {}, .message_id = id, .correlation_id = {}, .traceparent = {}}).at(0));
  };
  EXPECT_THAT(journey("removed"), ElementsAre("queued", "removed"));
  EXPECT_THAT(journey("purged"), ElementsAre("queued", "purged"));
}

TEST(Journeys, are_bounded) {
  Journeys journeys;
  broker::IncomingMessage message;
  journeys.queued("/", "q", QueueId{1}, Seq{1}, message, 1);
  EXPECT_THAT(journeys.find({}), IsEmpty()) << "it is off";
  journeys.trace("/", true);
  for (std::uint64_t seq = 0; seq <= journeys_max; ++seq)
    journeys.queued("/", "q", QueueId{1}, Seq{seq}, message, seq);
  journeys.step(QueueId{1}, Seq{0}, "forgotten", 1);
  for (unsigned i = 0; i < 100; ++i) journeys.step(QueueId{1}, Seq{journeys_max}, "delivered", i);
  const std::vector<Journey> found = journeys.find({});
  ASSERT_THAT(found, SizeIs(journeys_found_max));
  EXPECT_EQ(found[0].seq, Seq{journeys_max}) << "the newest comes first";
  ASSERT_THAT(found[0].steps, SizeIs(journey_steps_max));
  EXPECT_EQ(found[0].steps.front().what, "queued");
  EXPECT_EQ(found[0].steps.back().at_ms, 99U);
}

}  // namespace weir::node
