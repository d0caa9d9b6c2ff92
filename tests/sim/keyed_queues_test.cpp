// Queues that drop what they have seen and queues that keep last values, on a node that crashes at any time: no duplicate
// within a window, nothing dropped that was not seen, and of each key the newest value in the end.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
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
using node::TestMessage;
using node::TestSession;

constexpr std::uint64_t seeds_by_default = 100;
// A turn may come so much later than the test's look at the clock.
constexpr std::uint64_t slack_ms = 40;

std::uint64_t seeds() {
  const char* const text = std::getenv("WEIR_SIM_SEEDS");
  return text == nullptr ? seeds_by_default : std::strtoull(text, nullptr, 10);
}

struct Attempt {
  std::string key;
  std::uint64_t from_ms = 0, to_ms = 0;  // it was taken in between, if it was
  bool persistent = true, confirmed = false, seen = false;
};

class KeyedRun {
 public:
  explicit KeyedRun(std::uint64_t seed)
      : rng_(seed * 131 + 5), scenario_(seed), machine_(seed), name_(fmt::format("seed {}", seed)) {
    window_ms_ = rng_.chance(1, 2) ? 200 + rng_.below(5'000) : 0;
    window_ids_ = window_ms_ == 0 || rng_.chance(1, 3) ? 1 + rng_.below(40) : 0;
  }

  void run() {
    if (!boot()) return;
    furnish();
    const std::uint64_t lives = 2 + rng_.below(6);
    for (std::uint64_t life = 0; life < lives && !testing::Test::HasFailure(); ++life) {
      for (std::uint64_t acts = 5 + rng_.below(50); acts > 0; --acts) act();
      if (!end()) return;
    }
    finish();
  }

  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t renewed() const { return renewed_; }

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
  void furnish() {
    broker::Table dedup, last;
    dedup.set("x-message-deduplication", {true});
    dedup.set("x-deduplication-header", {std::string("key")});
    if (window_ms_ > 0) dedup.set("x-cache-ttl", {static_cast<std::int64_t>(window_ms_)});
    if (window_ids_ > 0) dedup.set("x-cache-size", {static_cast<std::int64_t>(window_ids_)});
    last.set("x-last-value-key", {std::string("key")});
    session_->declare("dedup", dedup);
    session_->declare("last", last);
    session_->declare("busy");
  }

  void act() {
    const std::uint64_t dice = rng_.below(12);
    if (dice < 4) return publish("dedup", once_);
    if (dice < 6) return publish("last", values_);
    if (dice < 8) return take("dedup", once_);
    if (dice < 9) return take("last", values_);
    if (dice < 11) {  // the log grows, and what was settled is given back
      for (int i = 0; i < 12; ++i) session_->publish_to("busy", {std::string(3'000, 'x')});
      while (session_->get("busy", true)) {
      }
      return;
    }
    node_->pass_ms(rng_.below(400));
  }
  void publish(const std::string& queue, std::vector<Attempt>& attempts) {
    const std::size_t first = attempts.size();
    const std::uint64_t from_ms = node_->clock().wall_ms();
    std::vector<TestMessage> messages;
    for (std::uint64_t count = 1 + rng_.below(8); count > 0; --count) {
      TestMessage message{"", queue, std::to_string(attempts.size())};
      Attempt attempt{.key = fmt::format("k{}", rng_.below(50)), .from_ms = from_ms};
      attempt.persistent = message.persistent = !rng_.chance(1, 10);
      message.headers.set("key", {attempt.key});
      attempts.push_back(attempt);
      messages.push_back(std::move(message));
    }
    session_->publish(messages);
    const bool wait = !rng_.chance(1, 8);
    if (wait) ASSERT_TRUE(node_->until([&] { return session_->all_confirmed(); })) << name_;
    for (std::size_t i = first; i < attempts.size(); ++i) {
      attempts[i].to_ms = wait ? node_->clock().wall_ms() : UINT64_MAX;
      attempts[i].confirmed = wait;
    }
  }
  void take(const std::string& queue, std::vector<Attempt>& attempts) {
    for (std::uint64_t count = 1 + rng_.below(8); count > 0; --count) {
      const bool no_ack = rng_.chance(1, 3);
      const auto got = session_->get(queue, no_ack);
      if (!got) return;
      attempts[std::stoull(got->body)].seen = true;
      if (no_ack || rng_.chance(1, 6)) continue;
      session_->settle(*got, rng_.chance(2, 3) ? Outcome::accept : Outcome::requeue);
    }
  }

  bool end() {
    elapsed_ms_ += node_->clock().monotonic_ns() / 1'000'000;
    const std::uint64_t dice = rng_.below(4);
    if (rng_.chance(1, 2)) publish("dedup", once_);
    for (std::uint64_t steps = rng_.below(30); steps > 0; --steps) node_->step();
    note_stats();
    if (dice == 0) {
      session_.reset();
      const Status stopped = node_->stop();
      EXPECT_TRUE(stopped.has_value()) << name_;
    } else {
      dice == 1 ? machine_.kill() : machine_.crash();
      session_.reset();
    }
    node_.reset();
    const std::uint64_t now_ms = boot() ? node_->clock().wall_ms() : 0;
    for (auto* attempts : {&once_, &values_}) {
      for (Attempt& attempt : *attempts) attempt.to_ms = std::min(attempt.to_ms, now_ms);
    }
    return node_ != nullptr && session_ != nullptr;
  }
  void note_stats() {
    for (std::uint16_t shard = 0; shard < node_->shards(); ++shard) {
      dropped_ += node_->shard(shard).host().stats().duplicates;
      renewed_ += node_->shard(shard).host().stats().renewed_ids;
    }
  }

  void finish() {
    while (const auto got = session_->get("dedup", true)) once_[std::stoull(got->body)].seen = true;
    judge_once();
    judge_values();
    note_stats();
    session_.reset();
    EXPECT_TRUE(node_->settle()) << name_;
  }
  // Does the one that was taken still count when the other one comes? As the test can know it.
  bool counts_surely(const Attempt& earlier, const Attempt& later, std::uint64_t between) const {
    return (window_ms_ == 0 || later.to_ms + slack_ms < earlier.from_ms + window_ms_) &&
           (window_ids_ == 0 || between < window_ids_);
  }
  bool counts_perhaps(const Attempt& earlier, const Attempt& later, std::uint64_t between) const {
    return (window_ms_ == 0 || later.from_ms < earlier.to_ms + window_ms_ + slack_ms) &&
           (window_ids_ == 0 || between < window_ids_);
  }
  void judge_once() {
    std::vector<const Attempt*> taken;
    for (std::size_t number = 0; number < once_.size(); ++number) {
      const Attempt& attempt = once_[number];
      bool surely = false, perhaps = false;
      for (std::size_t i = taken.size(); i > 0; --i) {
        const Attempt& earlier = *taken[i - 1];
        if (earlier.key != attempt.key) continue;
        const std::uint64_t between = taken.size() - i;
        surely = surely || counts_surely(earlier, attempt, between);
        perhaps = perhaps || counts_perhaps(earlier, attempt, between);
      }
      if (attempt.seen) {
        EXPECT_FALSE(surely) << name_ << ": message " << number << " is a duplicate";
        taken.push_back(&attempt);
      } else if (attempt.confirmed) {
        EXPECT_TRUE(perhaps) << name_ << ": message " << number << " was dropped for nothing";
      }
    }
  }
  void judge_values() {
    std::map<std::string, std::uint64_t> left;
    while (const auto got = session_->get("last", true)) {
      const std::uint64_t number = std::stoull(got->body);
      values_[number].seen = true;
      EXPECT_TRUE(left.emplace(values_[number].key, number).second)
          << name_ << ": two values of " << values_[number].key;
    }
    for (std::size_t number = 0; number < values_.size(); ++number) {
      if (!values_[number].confirmed || !values_[number].persistent || values_[number].seen) continue;
      bool newer = false;
      for (std::size_t later = number + 1; later < values_.size(); ++later)
        newer = newer || values_[later].key == values_[number].key;
      EXPECT_TRUE(newer) << name_ << ": the last value of " << values_[number].key << " is lost";
    }
  }

  Rng rng_;
  Scenario scenario_;
  runtime::SimStorage machine_;
  std::string name_;
  std::uint64_t window_ms_ = 0, window_ids_ = 0;
  std::unique_ptr<SimNode> node_;
  std::unique_ptr<TestSession> session_;
  std::vector<Attempt> once_, values_;
  std::uint64_t elapsed_ms_ = 0;
  std::uint64_t dropped_ = 0, renewed_ = 0;
};

}  // namespace

TEST(KeyedQueues, drop_duplicates_and_nothing_else_and_keep_last_values_whatever_happens) {
  mute_log();
  std::uint64_t dropped = 0, renewed = 0;
  const char* const only = std::getenv("WEIR_SIM_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const std::uint64_t count = only == nullptr ? seeds() : 1;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    KeyedRun run(seed);
    run.run();
    dropped += run.dropped();
    renewed += run.renewed();
  }
  fmt::print("{} duplicates dropped, {} times ids were written again\n", dropped, renewed);
  if (count >= 50 && !HasFailure()) {
    EXPECT_GT(dropped, count * 5);
    EXPECT_GT(renewed, count / 5);
  }
}

}  // namespace weir::sim
