// The small model, in full: scripts of at most six operations, a power loss after every turn, and every outcome of every
// sector that was in flight then. Each end is recovered, judged by a copy of the shadow model, and recovered once more.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "base/log.h"
#include "sim/known_names.h"
#include "sim/shadow_model.h"
#include "support/sim_node.h"

namespace weir::sim {

namespace {

// A batch of one block and an operation on names: all outcomes are tried.
constexpr std::size_t sectors_max = 10;

// Does one operation of a script at a time, and tells the model.
class ScriptedClient final : public node::SessionEvents {
 public:
  ScriptedClient(node::SimNode& node, ShadowModel& model, KnownNames& known)
      : node_(node), model_(model), known_(known) {
    node::SessionInfo info;
    info.user = "guest";
    info.vhost = "/";
    session_ = std::move(*node.shard(0).open_session(std::move(info), *this));
  }

  // p publish persistent, t transient, f to both queues, a ack, r requeue, c consume, d declare the second queue,
  // x delete it, u purge the first.
  void act(char operation) {
    switch (operation) {
      case 'p': return publish("", "d0", true);
      case 't': return publish("", "d0", false);
      case 'f': return publish("amq.fanout", "", true);
      case 'a': return settle(node::Outcome::accept);
      case 'r': return settle(node::Outcome::requeue);
      case 'c': return consume();
      case 'd': return declare("d1");
      case 'x': return session_->delete_queue("d1", false, false);
      case 'u': return session_->purge_queue("d0");
      default: FAIL() << operation;
    }
  }
  void declare(const std::string& queue) {
    broker::DeclareQueue request;
    request.vhost = "/";
    request.name = queue;
    request.durable = true;
    session_->declare_queue(request);
  }
  void bind(const std::string& queue) {
    session_->bind({"/", "amq.fanout", broker::DestinationKind::queue, queue, "", {}});
  }
  // Before an operation: what its answer will settle is not known any more.
  bool may_act(char operation) const {
    return !waiting_ || std::string("ptfar").find(operation) != std::string::npos;
  }
  void expect(char operation) {
    if (operation == 'd' || operation == 'x') {
      known_.set_queue("d1", Is::unsure);
      known_.set_binding({"amq.fanout", "d1", ""}, Is::unsure);
    }
    if (operation == 'u')
      certain_ = model_.certainly_waiting(node_.shard(0).topology().find_queue("/", "d0")->id);
    if (std::string("cdxu").find(operation) == std::string::npos) return;
    waiting_ = true;
    asked_ = operation;
  }
  bool waiting() const { return waiting_; }
  // What an end here leaves open.
  void doubt(ShadowModel& model) const {
    if (waiting_ && asked_ == 'u') model.doubt_waiting(node_.shard(0).topology().find_queue("/", "d0")->id);
  }
  std::uint64_t confirmed() const { return confirmed_; }

 private:
  void publish(const std::string& exchange, const std::string& key, bool persistent) {
    Attempt attempt;
    attempt.publisher = 1;
    attempt.persistent = persistent;
    attempt.wants_confirm = true;
    attempt.exchange = exchange;
    attempt.routing_key = key;
    const AttemptId id = model_.publish(attempt);
    class NoHeaders final : public broker::HeaderSource {
      const broker::Table& headers() override { return table_; }
      broker::Table table_;
    } headers;
    std::vector<broker::Target> targets;
    const broker::Topology& topology = node_.shard(0).topology();
    ASSERT_TRUE(topology.route("/", exchange, key, headers, true, targets).has_value());
    for (const broker::Target& target : targets) model_.route(id, *topology.find_queue(target.queue));
    const std::vector<std::byte> body = body_of(id, 40);
    const Bytes piece(body);
    node::Publish publish;
    publish.seq = ++published_;
    publish.message.persistent = persistent;
    publish.message.exchange = exchange;
    publish.message.routing_key = key;
    publish.message.body = std::span(&piece, 1);
    publish.message.body_bytes = body.size();
    publish.headers = &headers;
    ids_.push_back(id);
    ASSERT_TRUE(session_->publish(publish).has_value());
  }
  void settle(node::Outcome outcome) {
    if (held_.empty()) return;
    const auto [queue, seq] = held_.front();
    held_.erase(held_.begin());
    model_.settle(queue, seq, outcome);
    session_->settle(1, queue, seq, outcome);
  }
  void consume() {
    node::ConsumeOptions options;
    options.queue = "d0";
    options.consumer = 1;
    options.prefetch = 2;
    model_.consume(node_.shard(0).topology().find_queue("/", "d0")->id);
    session_->consume(options);
  }

  void on_reply(node::Reply reply) override {
    waiting_ = false;
    if (!reply) return;
    const auto* d0 = node_.shard(0).topology().find_queue("/", "d0");
    if (asked_ == 'd') known_.set_queue("d1", Is::present);
    if (asked_ == 'x') {
      known_.set_queue("d1", Is::absent);
      for (const auto& [id, queue] : std::map(model_.queues())) {
        if (queue.name == "d1") model_.remove_queue(id);
      }
    }
    if (asked_ == 'u') {
      model_.purged(d0->id, certain_);
      model_.doubt_waiting(d0->id);
    }
    if (asked_ == 'd') {
      asked_ = 'b';
      waiting_ = true;
      bind("d1");
    } else if (asked_ == 'b') {
      known_.set_binding({"amq.fanout", "d1", ""}, Is::present);
    }
  }
  void on_confirmed(node::PublisherNumber, std::uint64_t up_to) override {
    for (; confirmed_ < up_to; ++confirmed_) model_.confirm(ids_[confirmed_]);
  }
  void on_rejected(node::PublisherNumber, std::uint64_t, std::uint64_t) override { FAIL() << "rejected"; }
  void on_body_piece(node::BodyNumber, Result<node::BodyPiece>) override {}
  void on_delivery(const node::Delivery& delivery) override {
    model_.deliver(delivery, false);
    held_.emplace_back(delivery.queue, delivery.seq);
  }
  void on_consumer_cancelled(node::ConsumerNumber, node::CancelReason) override {}
  void on_publish_flow(bool, std::string_view) override {}
  void on_close_wanted(const Error&) override {}

  node::SimNode& node_;
  ShadowModel& model_;
  KnownNames& known_;
  std::unique_ptr<node::Session> session_;
  std::vector<AttemptId> ids_;
  std::vector<std::pair<QueueId, Seq>> held_;
  std::vector<Waiting> certain_;
  std::uint64_t published_ = 0, confirmed_ = 0;
  bool waiting_ = false;
  char asked_ = ' ';
};

class SmallModel {
 public:
  SmallModel(std::string script, std::uint64_t seed, bool hurried)
      : script_(std::move(script)), machine_(seed), hurried_(hurried) {
    options_.seed = seed;
    options_.journal.commits_in_flight_max = 1;
  }

  void run() {
    node_ = std::make_unique<node::SimNode>(machine_, options_);
    ASSERT_TRUE(node_->start().has_value());
    furnish();
    node_->after_turn = [this](std::uint16_t shard) {
      model_.after_turn(*node_, shard);
      crash_everywhere();
    };
    ScriptedClient client(*node_, model_, known_);
    client_ = &client;
    for (const char operation : script_) {
      ASSERT_TRUE(node_->until([&] { return client.may_act(operation); }));
      client.expect(operation);
      node_->turn(0, [&] { client.act(operation); });
      if (!hurried_) {
        ASSERT_TRUE(node_->settle());
      }
      if (testing::Test::HasFailure()) break;
    }
    EXPECT_TRUE(node_->settle());
    node_->pass_ms(50);  // marks are written
    EXPECT_EQ(model_.violation(), "") << script_;
    client_ = nullptr;
  }
  std::uint64_t ends() const { return ends_; }

 private:
  void furnish() {
    ScriptedClient client(*node_, model_, known_);
    node_->turn(0, [&] { client.declare("d0"); });
    ASSERT_TRUE(node_->settle());
    node_->turn(0, [&] { client.bind("d0"); });
    ASSERT_TRUE(node_->settle());
    known_.set_queue("d0", Is::present);
    known_.set_binding({"amq.fanout", "d0", ""}, Is::present);
  }

  // Every outcome of what is in flight now.
  void crash_everywhere() {
    const std::size_t sectors = machine_.sectors_in_flight();
    const Lsn durable = node_->shard(0).journal().durable();
    const auto state =
        std::tuple(machine_.writes_completed(), sectors, durable.value, client_ ? client_->confirmed() : 0,
                   client_ != nullptr && client_->waiting(), model_.deliveries());
    if (!states_.insert(state).second) return;  // nothing that could be told apart has happened since
    ASSERT_LE(sectors, sectors_max);
    for (std::uint64_t outcome = 0; outcome < std::uint64_t{1} << sectors; ++outcome) {
      std::vector<bool> persisted(sectors);
      for (std::size_t bit = 0; bit < sectors; ++bit) persisted[bit] = (outcome >> bit & 1) != 0;
      const auto copy = machine_.clone(outcome + 1);
      copy->crash_with(persisted);
      judge(*copy, durable, outcome);
      ++ends_;
      if (testing::Test::HasFailure()) return;
    }
  }

  void judge(runtime::SimStorage& machine, Lsn durable, std::uint64_t outcome) {
    const auto where = [&] {
      return fmt::format("script {}{}, outcome {:b}", script_, hurried_ ? " hurried" : "", outcome);
    };
    const NodeDump first = recover(machine, where());
    ShadowModel model = model_;
    KnownNames known = known_;
    if (client_ != nullptr) client_->doubt(model);
    model.restarted(first, false, {durable});
    ASSERT_EQ(model.violation(), "") << where();
    machine.kill();
    const NodeDump second = recover(machine, where(), &known);
    ASSERT_EQ(first.queues, second.queues) << "(f) " << where();
    ASSERT_EQ(first.definitions, second.definitions) << "(f) " << where();
  }

  NodeDump recover(runtime::SimStorage& machine, const std::string& where, KnownNames* known = nullptr) {
    node::SimNode node(machine, options_);
    const Status started = node.start();
    EXPECT_TRUE(started.has_value()) << where;
    if (!started) return {};
    if (known != nullptr) {
      EXPECT_EQ(known->restarted(node.shard(0).topology()), "") << where;
    }
    return dump_node(node);
  }

  std::string script_;
  runtime::SimStorage machine_;
  bool hurried_;
  node::SimNodeOptions options_;
  ShadowModel model_;
  KnownNames known_;
  std::unique_ptr<node::SimNode> node_;
  ScriptedClient* client_ = nullptr;
  std::set<std::tuple<std::uint64_t, std::size_t, std::uint64_t, std::uint64_t, bool, std::uint64_t>> states_;
  std::uint64_t ends_ = 0;
};

}  // namespace

class SmallModelTest : public testing::Test {
 protected:
  void SetUp() override { mute_log(); }
  void TearDown() override { fmt::print("{} ends\n", ends); }
  void run(const std::string& script, bool hurried) {
    SmallModel model(script, 1, hurried);
    model.run();
    ends += model.ends();
    ASSERT_FALSE(testing::Test::HasFailure()) << script;
  }
  std::uint64_t ends = 0;
};

TEST_F(SmallModelTest, holds_at_every_crash_point_for_every_outcome_of_every_sector) {
  for (const char* script :
       {"pppp", "pcapa", "ptpcaa", "dfpxp", "pdfcax", "ppupcr", "cpraca", "fdfxfd", "ttpcra", "puptcu"}) {
    run(script, false);
    run(script, true);
  }
  EXPECT_GT(ends, 10'000U);
}

// Two queues, a message and a consumer, and then whatever three operations can be.
TEST_F(SmallModelTest, holds_for_all_words_of_three_operations) {
  const std::string letters = "pfarux";
  for (const char first : letters) {
    for (const char second : letters) {
      for (const char third : letters) {
        ASSERT_NO_FATAL_FAILURE(
            run(std::string("dpc") + first + second + third, (first + second + third) % 2 == 0));
      }
    }
  }
}

}  // namespace weir::sim
