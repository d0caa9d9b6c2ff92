// Messages that are moved between queues of every kind while others publish and consume, on a node that crashes at any time:
// in the end each confirmed message that nobody has acknowledged is there, somewhere, and no queue keeps one back.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "node/message_mover.h"
#include "sim/simulation.h"
#include "support/sim_node.h"
#include "support/test_session.h"

namespace weir::sim {

namespace {

using node::MessageMover;
using node::MoveOptions;
using node::MoveReport;
using node::Outcome;
using node::SimNode;
using node::TestMessage;
using node::TestSession;
using node::WalkFrom;

constexpr std::uint64_t seeds_by_default = 100;

std::uint64_t seeds() {
  const char* const text = std::getenv("WEIR_SIM_SEEDS");
  return text == nullptr ? seeds_by_default : std::strtoull(text, nullptr, 10);
}

class MoveRun {
 public:
  explicit MoveRun(std::uint64_t seed)
      : rng_(seed * 37 + 5), scenario_(seed), machine_(seed), name_(fmt::format("seed {}", seed)) {}

  void run() {
    if (!boot()) return;
    furnish();
    const std::uint64_t lives = 2 + rng_.below(6);
    for (std::uint64_t life = 0; life < lives && !testing::Test::HasFailure(); ++life) {
      for (std::uint64_t acts = 5 + rng_.below(40); acts > 0; --acts) act();
      if (!end()) return;
    }
    finish();
  }

  std::uint64_t moved() const { return moved_; }
  std::uint64_t cut_off() const { return cut_off_; }

 private:
  bool boot() {
    node::SimNodeOptions options;
    options.shards = scenario_.shards;
    options.seed = rng_.next();
    options.journal = scenario_.journal;
    options.late_mail = scenario_.late_mail;
    options.faults.slow_one_in = scenario_.slow_one_in;
    options.body_sizes = {500, 200};
    node_ = std::make_unique<SimNode>(machine_, options);
    const Status started = node_->start();
    EXPECT_TRUE(started.has_value()) << name_ << ": " << (started ? "" : started.error().message);
    if (started) session_ = std::make_unique<TestSession>(*node_, any_shard());
    return started.has_value();
  }
  std::uint16_t any_shard() { return static_cast<std::uint16_t>(rng_.below(scenario_.shards)); }
  const std::string& any_queue() { return queues_[rng_.below(queues_.size())]; }

  void furnish() {
    broker::Table small, priority, quorum, letters;
    small.set("x-max-length", {std::int64_t{10}});
    small.set("x-overflow", {std::string("reject-publish")});
    priority.set("x-max-priority", {std::int32_t{3}});
    quorum.set("x-queue-type", {std::string("quorum")});
    letters.set("x-queue-type", {std::string("quorum")});
    letters.set("x-dead-letter-strategy", {std::string("at-least-once")});
    letters.set("x-overflow", {std::string("reject-publish")});
    letters.set("x-dead-letter-exchange", {std::string()});
    letters.set("x-dead-letter-routing-key", {std::string("plain")});
    session_->declare("plain");
    session_->declare("other");
    session_->declare("small", small);
    session_->declare("priority", priority);
    session_->declare("quorum", quorum);
    session_->declare("letters", letters);
  }

  void act() {
    const std::uint64_t dice = rng_.below(10);
    if (dice < 3) return publish();
    if (dice < 5) return take_some();
    if (dice < 9) return move();
    for (std::uint64_t steps = rng_.below(40); steps > 0; --steps) node_->step();
  }
  void publish() {
    std::vector<TestMessage> messages;
    const std::uint64_t first = session_->published[0] + 1, number = next_;
    for (std::uint64_t count = 1 + rng_.below(30); count > 0; --count) {
      TestMessage& message = messages.emplace_back();
      message.routing_key = any_queue();
      message.body = fmt::format("{} ", next_++);
      if (rng_.chance(1, 12)) message.body += std::string(rng_.below(2'000), 'x');
      message.priority = static_cast<std::uint8_t>(rng_.below(4));
    }
    session_->publish(messages);
    if (rng_.chance(1, 8)) return;  // nobody knows what becomes of them
    ASSERT_TRUE(node_->until([&] { return session_->all_confirmed(); })) << name_;
    for (std::uint64_t i = 0; i < messages.size(); ++i) {
      const bool refused = std::any_of(
          session_->rejected.begin(), session_->rejected.end(),
          [&](const auto& r) { return std::get<1>(r) <= first + i && first + i <= std::get<2>(r); });
      if (!refused) confirmed_.insert(number + i);
    }
  }
  void take_some() {
    const std::string& queue = any_queue();
    for (std::uint64_t count = 1 + rng_.below(6); count > 0; --count) {
      const auto got = session_->get(queue);
      if (!got) return;
      if (rng_.chance(1, 3)) {
        consumed_.insert(std::stoull(got->body));
        session_->settle(*got);
      } else {
        session_->settle(*got, queue == "letters" && rng_.chance(1, 2) ? Outcome::discard : Outcome::requeue);
      }
    }
  }

  MoveOptions any_move() {
    MoveOptions options;
    options.walk.queue = any_queue();
    const std::uint64_t dice = rng_.below(8);
    options.to = dice == 0   ? MoveOptions::To::first_death
                 : dice == 1 ? MoveOptions::To::last_death
                             : MoveOptions::To::queue;
    if (dice > 1) options.routing_key = rng_.chance(1, 12) ? "nobody" : any_queue();
    options.copies = rng_.chance(1, 12);
    if (rng_.chance(1, 2)) options.walk.found_max = 1 + rng_.below(20);
    if (rng_.chance(1, 4)) options.walk.looked_at_max = 1 + rng_.below(20);
    if (rng_.chance(1, 4)) options.walk.from = {WalkFrom::At::last, 1 + rng_.below(10)};
    return options;
  }
  // Until it is done, for the most part; else something else happens meanwhile, or it is given up.
  void move() {
    if (mover_ != nullptr) give_up();
    report_.reset();
    const std::uint16_t at = any_shard();
    mover_at_ = at;
    mover_ = std::make_unique<MessageMover>(
        node_->shard(at), any_move(), [this](Result<MoveReport> report) { report_ = std::move(report); });
    node_->turn(at, [this] {
      const Status begun =
          mover_->begin({.user = "guest", .vhost = "/", .protocol = "HTTP", .client = "sim", .peer = {}});
      EXPECT_TRUE(begun.has_value()) << name_;
    });
    if (rng_.chance(1, 2)) {
      for (std::uint64_t steps = rng_.below(60); steps > 0; --steps) node_->step();
      return;
    }
    EXPECT_TRUE(node_->until([this] { return report_.has_value(); })) << name_ << ": a move does not end";
    give_up();
  }
  void give_up() {
    if (report_ && *report_) {
      moved_ += (*report_)->moved;
      EXPECT_EQ((*report_)->stopped, "") << name_;
    } else {
      ++cut_off_;
    }
    node_->turn(mover_at_, [this] { mover_.reset(); });
  }

  bool end() {
    const std::uint64_t dice = rng_.below(4);
    for (std::uint64_t steps = rng_.below(30); steps > 0; --steps) node_->step();
    if (dice == 0) {
      if (mover_ != nullptr) give_up();
      session_.reset();
      const Status stopped = node_->stop();
      EXPECT_TRUE(stopped.has_value()) << name_;
    } else {
      dice == 1 ? machine_.kill() : machine_.crash();
      cut_off_ += mover_ != nullptr ? 1 : 0;
      mover_.reset();
      session_.reset();
    }
    node_.reset();
    return boot();
  }

  void finish() {
    std::set<std::uint64_t> seen;
    for (unsigned round = 0; round < 3; ++round) {
      EXPECT_TRUE(node_->settle()) << name_;
      for (const std::string& queue : queues_) {
        while (const auto got = session_->get(queue, true)) seen.insert(std::stoull(got->body));
      }
    }
    EXPECT_TRUE(node_->settle()) << name_;
    for (const std::string& queue : queues_) {
      const broker::QueueDefinition* const of = node_->shard(0).topology().find_queue("/", queue);
      EXPECT_EQ(node_->shard(of->shard.value).host().find(of->id)->total(), 0U)
          << name_ << ": '" << queue << "' keeps messages back";
    }
    for (std::uint16_t shard = 0; shard < node_->shards(); ++shard) {
      EXPECT_EQ(node_->shard(shard).host().bodies().queue().total(), 0U)
          << name_ << ": a large body stays behind";
    }
    for (const std::uint64_t number : confirmed_) {
      EXPECT_TRUE(seen.contains(number) || consumed_.contains(number))
          << name_ << ": message " << number << " is lost";
    }
    session_.reset();
  }

  Rng rng_;
  Scenario scenario_;
  runtime::SimStorage machine_;
  std::string name_;
  std::unique_ptr<SimNode> node_;
  std::unique_ptr<TestSession> session_;
  std::unique_ptr<MessageMover> mover_;
  std::uint16_t mover_at_ = 0;
  std::optional<Result<MoveReport>> report_;
  const std::vector<std::string> queues_{"plain", "other", "small", "priority", "quorum", "letters"};
  std::uint64_t next_ = 0, moved_ = 0, cut_off_ = 0;
  std::set<std::uint64_t> confirmed_, consumed_;
};

}  // namespace

TEST(SimulatedMoves, lose_nothing_whatever_happens) {
  mute_log();
  std::uint64_t moved = 0, cut_off = 0;
  const char* const only = std::getenv("WEIR_SIM_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const std::uint64_t count = only == nullptr ? seeds() : 1;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    MoveRun run(seed);
    run.run();
    moved += run.moved();
    cut_off += run.cut_off();
  }
  fmt::print("{} moved, {} moves cut off\n", moved, cut_off);
  if (count >= 50 && !HasFailure()) {
    EXPECT_GT(moved, count * 20);
    EXPECT_GT(cut_off, count);
  }
}

}  // namespace weir::sim
