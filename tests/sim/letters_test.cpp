// Queues whose messages expire, come back too often or wait when they come back, are rejected or find no room, with dead
// letters at least once, and exchanges where messages wait, on a node that crashes at any time: in the end each confirmed
// message is there once, somewhere, and none is there twice.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "sim/simulation.h"
#include "support/sim_node.h"
#include "support/test_session.h"

namespace weir::sim {

namespace {

using node::Outcome;
using node::SimNode;
using node::TakenDelivery;
using node::TestMessage;
using node::TestSession;

constexpr std::uint64_t seeds_by_default = 100;
constexpr std::int64_t small_target_messages = 12;

std::uint64_t seeds() {
  const char* const text = std::getenv("WEIR_SIM_SEEDS");
  return text == nullptr ? seeds_by_default : std::strtoull(text, nullptr, 10);
}

class LetterRun {
 public:
  explicit LetterRun(std::uint64_t seed)
      : rng_(seed * 31 + 7), scenario_(seed), machine_(seed), name_(fmt::format("seed {}", seed)) {}

  void run() {
    if (!boot()) return;
    furnish();
    const std::uint64_t lives = 2 + rng_.below(6);
    for (std::uint64_t life = 0; life < lives && !testing::Test::HasFailure(); ++life) {
      for (std::uint64_t acts = 5 + rng_.below(60); acts > 0; --acts) act();
      if (!end()) return;
    }
    finish();
  }

  std::uint64_t confirmed() const { return confirmed_.size(); }
  std::uint64_t retried() const { return retried_; }

 private:
  bool boot() {
    node::SimNodeOptions options;
    options.shards = scenario_.shards;
    options.seed = rng_.next();
    options.journal = scenario_.journal;
    options.late_mail = scenario_.late_mail;
    options.faults.slow_one_in = scenario_.slow_one_in;
    options.wall_offset_ms = static_cast<std::int64_t>(elapsed_ms_);
    node_ = std::make_unique<SimNode>(machine_, options);
    const Status started = node_->start();
    EXPECT_TRUE(started.has_value()) << name_ << ": " << (started ? "" : started.error().message);
    if (started) session_ = std::make_unique<TestSession>(*node_, any_shard());
    return started.has_value();
  }
  std::uint16_t any_shard() { return static_cast<std::uint16_t>(rng_.below(scenario_.shards)); }

  static broker::Table source(const std::string& target) {
    broker::Table table;
    table.set("x-queue-type", {std::string("quorum")});
    table.set("x-dead-letter-exchange", {std::string()});
    table.set("x-dead-letter-routing-key", {target});
    table.set("x-dead-letter-strategy", {std::string("at-least-once")});
    table.set("x-overflow", {std::string("reject-publish")});
    return table;
  }
  void furnish() {
    broker::Table expiring = source("small"), limited = source("t"), bounded = source("t");
    expiring.set("x-message-ttl", {static_cast<std::int64_t>(rng_.below(300))});
    limited.set("x-delivery-limit", {std::int64_t{1}});
    bounded.set("x-max-length", {std::int64_t{5}});
    broker::Table plain = source("t");
    for (broker::Table* const retrying : {&limited, &plain}) {
      if (rng_.chance(1, 2)) continue;
      retrying->set("x-delayed-retry-type", {std::string(rng_.chance(1, 2) ? "all" : "failed")});
      retrying->set("x-delayed-retry-min", {static_cast<std::int64_t>(1 + rng_.below(300))});
      retrying->set("x-delayed-retry-max", {std::int64_t{600}});
    }
    broker::Table small;
    small.set("x-max-length", {small_target_messages});
    small.set("x-overflow", {std::string("reject-publish")});
    session_->declare("s-expiring", expiring);
    session_->declare("s-limited", limited);
    session_->declare("s-bounded", bounded);
    session_->declare("s-plain", plain);
    session_->declare("small", small);
    session_->declare("t");
    session_->declare("busy");
    broker::Table delayed;
    delayed.set("x-delayed-type", {std::string("fanout")});
    ASSERT_TRUE(session_->declare_exchange("later", "x-delayed-message", delayed));
    ASSERT_TRUE(session_->bind("later", "s-plain"));
    ASSERT_TRUE(session_->declare_exchange("later-small", "x-delayed-message", delayed));
    ASSERT_TRUE(session_->bind("later-small", "small"));
  }
  const std::string& any_source() { return sources_[rng_.below(sources_.size())]; }

  void act() {
    const std::uint64_t dice = rng_.below(10);
    if (dice < 4) return publish();
    if (dice < 8) return take_some();
    if (dice < 9) {  // the log grows, and what was settled is given back
      for (int i = 0; i < 10; ++i) session_->publish_to("busy", {std::string(3'000, 'x')});
      while (session_->get("busy", true)) {
      }
      return;
    }
    node_->pass_ms(rng_.below(150));
  }
  void publish() {
    std::vector<TestMessage> messages;
    const std::uint64_t first = session_->published[0] + 1;
    const std::uint64_t number = next_;
    for (std::uint64_t count = 1 + rng_.below(8); count > 0; --count) {
      TestMessage message{"", any_source(), std::to_string(next_++)};
      if (rng_.chance(1, 3)) {
        message.exchange = rng_.chance(1, 2) ? "later" : "later-small";
        message.headers.set("x-delay", {static_cast<std::int64_t>(rng_.below(400))});
      }
      if (message.exchange != "later-small" && rng_.chance(1, 4))
        message.extras.ttl_ms = static_cast<std::uint32_t>(rng_.below(200));
      if (rng_.chance(1, 6)) message.extras.deliver_ms = node_->clock().wall_ms() + rng_.below(200);
      messages.push_back(std::move(message));
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
    const std::string& queue = any_source();
    for (std::uint64_t count = 1 + rng_.below(6); count > 0; --count) {
      const auto got = session_->get(queue);
      if (!got) return;
      if (rng_.chance(1, 6)) continue;  // held until the end
      const Outcome back = rng_.chance(1, 2) ? Outcome::requeue : Outcome::failed;
      session_->settle(*got, rng_.chance(1, 2) ? Outcome::discard : back);
    }
  }

  bool end() {
    elapsed_ms_ += node_->clock().monotonic_ns() / 1'000'000;
    const std::uint64_t dice = rng_.below(4);
    for (std::uint64_t takes = rng_.below(3); takes > 0; --takes) take_some();
    for (std::uint64_t steps = rng_.below(30); steps > 0; --steps) node_->step();
    note_retries();
    if (dice == 0) {
      session_.reset();
      const Status stopped = node_->stop();
      EXPECT_TRUE(stopped.has_value()) << name_;
    } else {
      dice == 1 ? machine_.kill() : machine_.crash();
      session_.reset();
    }
    node_.reset();
    return boot();
  }
  void note_retries() {
    for (std::uint16_t shard = 0; shard < node_->shards(); ++shard) {
      retried_ += node_->shard(shard).host().dead_letters().stats().retries;
    }
  }

  std::uint64_t left_in(const std::string& queue) {
    const broker::QueueDefinition* const of = node_->shard(0).topology().find_queue("/", queue);
    return node_->shard(of->shard.value).host().find(of->id)->total();
  }
  std::uint64_t waiting_at(const std::string& exchange) {
    const broker::QueueDefinition* const own = node_->shard(0).topology().find_own_queue("/", exchange);
    return node_->shard(own->shard.value).host().find(own->id)->total();
  }
  void finish() {
    std::map<std::uint64_t, unsigned> seen;
    std::uint64_t left = 1;
    for (unsigned round = 0; round < 200 && left > 0; ++round) {
      left = 0;
      for (const std::string& queue : sources_) {
        while (const auto got = session_->get(queue)) session_->settle(*got, Outcome::discard);
      }
      node_->pass_ms(1'100);
      for (const char* queue : {"t", "small"}) {
        while (const auto got = session_->get(queue, true)) ++seen[std::stoull(got->body)];
      }
      for (const std::string& queue : sources_) left += left_in(queue);
      for (const char* exchange : {"later", "later-small"}) left += waiting_at(exchange);
      left += left_in("t") + left_in("small");
    }
    note_retries();
    EXPECT_EQ(left, 0U) << name_ << ": messages do not find their way";
    for (const auto& [number, times] : seen) EXPECT_EQ(times, 1U) << name_ << ": message " << number;
    for (const std::uint64_t number : confirmed_) {
      EXPECT_TRUE(seen.contains(number)) << name_ << ": message " << number << " is lost";
    }
    session_.reset();
    EXPECT_TRUE(node_->settle()) << name_;
  }

  Rng rng_;
  Scenario scenario_;
  runtime::SimStorage machine_;
  std::string name_;
  std::unique_ptr<SimNode> node_;
  std::unique_ptr<TestSession> session_;
  const std::vector<std::string> sources_{"s-expiring", "s-limited", "s-bounded", "s-plain"};
  std::uint64_t next_ = 0;
  std::uint64_t elapsed_ms_ = 0;
  std::uint64_t retried_ = 0;
  std::set<std::uint64_t> confirmed_;
};

}  // namespace

TEST(Letters, are_neither_lost_nor_doubled_whatever_happens) {
  mute_log();
  std::uint64_t confirmed = 0, retried = 0;
  const char* const only = std::getenv("WEIR_SIM_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const std::uint64_t count = only == nullptr ? seeds() : 1;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    LetterRun run(seed);
    run.run();
    confirmed += run.confirmed();
    retried += run.retried();
  }
  fmt::print("{} confirmed, {} times tried again\n", confirmed, retried);
  if (count >= 50 && !HasFailure()) {
    EXPECT_GT(confirmed, count * 20);
    EXPECT_GT(retried, count);
  }
}

}  // namespace weir::sim
