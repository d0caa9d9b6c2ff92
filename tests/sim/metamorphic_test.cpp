// Where bytes lie is nobody's business: the same acts give the same deliveries whether the cleaner never works, always, or
// now and then, whether checkpoints come all the time or never, whatever files and caches hold.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "support/sim_node.h"
#include "support/test_session.h"

namespace weir::sim {

namespace {

using node::Outcome;
using node::SimNode;
using node::TakenDelivery;
using node::TestSession;

struct Variant {
  const char* name;
  std::uint64_t clean_gain_bytes = UINT64_MAX;
  std::uint64_t checkpoint_bytes = 128U << 20;
  std::uint64_t file_bytes = 256U << 10;
  std::uint64_t cache_bytes = 256U << 10;
};

constexpr Variant variants[] = {
    {.name = "never cleaned, no checkpoints"},
    {.name = "never cleaned, checkpoints", .checkpoint_bytes = 1},
    {.name = "always cleaned", .clean_gain_bytes = 1, .checkpoint_bytes = 1, .file_bytes = 64U << 10},
    {.name = "cleaned now and then",
     .clean_gain_bytes = 64U << 10,
     .checkpoint_bytes = 256U << 10,
     .cache_bytes = 16U << 10},
};

class Script {
 public:
  Script(std::uint64_t seed, const Variant& variant) : rng_(seed), machine_(seed), variant_(variant) {}

  // What a client sees, in order.
  std::vector<std::string> run() {
    boot();
    declare();
    for (std::uint64_t lives = 2 + rng_.below(3); lives > 0; --lives) {
      for (std::uint64_t acts = 40 + rng_.below(80); acts > 0; --acts) act();
      restart(rng_.chance(1, 2));
    }
    for (const std::string& queue : queues_) {
      while (take(queue, true)) {
      }
    }
    end();
    return std::move(seen_);
  }
  std::uint64_t moved_bytes() const { return moved_bytes_; }
  std::uint64_t checkpoints() const { return checkpoints_; }

 private:
  void boot() {
    node::SimNodeOptions options;
    options.seed = 5;
    options.wall_offset_ms = 1'000'000;
    storage::JournalOptions& journal = options.journal;
    journal.first_file_bytes = 64U << 10;
    journal.file_bytes_max = variant_.file_bytes;
    journal.cache_bytes = variant_.cache_bytes;
    journal.clean_gain_bytes = variant_.clean_gain_bytes;
    journal.clean_file_bytes = 32U << 10;
    journal.clean_survey_ms = 1;
    journal.clean_bytes_per_second = 1U << 30;
    journal.checkpoint_bytes = variant_.checkpoint_bytes;
    node_ = std::make_unique<SimNode>(machine_, options);
    ASSERT_TRUE(node_->start());
    session_ = std::make_unique<TestSession>(*node_, 0);
  }
  void declare() {
    broker::Table priorities, limited, short_one, groups;
    priorities.set("x-max-priority", {std::int64_t{9}});
    limited.set("x-queue-type", {std::string("quorum")});
    limited.set("x-delivery-limit", {std::int64_t{2}});
    short_one.set("x-max-length", {std::int64_t{40}});
    groups.set("x-message-groups", {std::string("key")});
    session_->declare("plain", broker::Table());
    session_->declare("priorities", priorities);
    session_->declare("limited", limited);
    session_->declare("short", short_one);
    session_->declare("groups", groups);
    queues_ = {"plain", "priorities", "limited", "short", "groups"};
    ASSERT_TRUE(session_->declare_exchange("all", "fanout"));
    for (const std::string& queue : queues_) ASSERT_TRUE(session_->bind("all", queue));
  }
  void act() {
    const std::uint64_t dice = rng_.below(10);
    const std::string& queue = queues_[rng_.below(queues_.size())];
    if (dice < 3) return publish(queue);
    if (dice < 8) {
      for (std::uint64_t count = rng_.below(20); count > 0; --count) take(queue, false);
      return;
    }
    if (dice < 9) return settle_some();
    node_->pass_ms(rng_.below(200));
  }
  void publish(const std::string& queue) {
    std::vector<node::TestMessage> messages;
    for (std::uint64_t count = 1 + rng_.below(30); count > 0; --count) {
      node::TestMessage message{"", queue, fmt::format("{} ", next_++)};
      if (rng_.chance(1, 8)) message.exchange = "all";
      message.body.resize(rng_.below(3'000) + 8, 'x');
      message.priority = static_cast<std::uint8_t>(rng_.below(10));
      message.headers.set("key", {fmt::format("{}", rng_.below(4))});
      messages.push_back(std::move(message));
    }
    session_->publish(messages);
    ASSERT_TRUE(node_->until([&] { return session_->all_confirmed(); }));
  }
  bool take(const std::string& queue, bool no_ack) {
    std::optional<TakenDelivery> got = session_->get(queue, no_ack);
    const std::string_view number = got ? std::string_view(got->body).substr(0, got->body.find(' ')) : "-";
    seen_.push_back(fmt::format("{} {}{} {}", queue, number, got && got->redelivered ? " again" : "",
                                got ? got->returns : 0));
    if (got && !no_ack) out_.push_back(std::move(*got));
    return seen_.back().find('-') == std::string::npos;
  }
  void settle_some() {
    for (std::uint64_t count = rng_.below(30); count > 0 && !out_.empty(); --count) {
      const auto at = out_.begin() + static_cast<std::ptrdiff_t>(rng_.below(out_.size()));
      session_->settle(*at, rng_.chance(1, 4) ? Outcome::requeue : Outcome::accept);
      out_.erase(at);
    }
  }
  // What was settled is on the disk by then.
  void rest() {
    for (const TakenDelivery& delivery : out_) session_->settle(delivery, Outcome::requeue);
    out_.clear();
    session_.reset();
    node_->pass_ms(100);
    ASSERT_TRUE(node_->settle());
    const storage::Journal::Stats stats = node_->shard(0).journal().stats();
    moved_bytes_ += stats.clean_moved_bytes;
    checkpoints_ += stats.checkpoints;
  }
  void restart(bool in_order) {
    rest();
    if (in_order) ASSERT_TRUE(node_->stop());
    node_.reset();
    if (!in_order) machine_.crash();
    boot();
  }
  void end() {
    rest();
    ASSERT_TRUE(node_->stop());
  }

  Rng rng_;
  runtime::SimStorage machine_;
  const Variant& variant_;
  std::unique_ptr<SimNode> node_;
  std::unique_ptr<TestSession> session_;
  std::vector<std::string> queues_;
  std::deque<TakenDelivery> out_;
  std::vector<std::string> seen_;
  std::uint64_t next_ = 0;
  std::uint64_t moved_bytes_ = 0, checkpoints_ = 0;
};

std::uint64_t seeds() {
  const char* const text = std::getenv("WEIR_SIM_SEEDS");
  return text == nullptr ? 20 : 20 + std::strtoull(text, nullptr, 10) / 40;
}

}  // namespace

TEST(Metamorphic, deliveries_are_the_same_wherever_bytes_lie) {
  mute_log();
  std::uint64_t moved_bytes = 0, checkpoints = 0, deliveries = 0;
  for (std::uint64_t seed = 1; seed <= seeds() && !HasFailure(); ++seed) {
    std::vector<std::string> expected;
    for (const Variant& variant : variants) {
      Script script(seed, variant);
      std::vector<std::string> seen = script.run();
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", " << variant.name;
      moved_bytes += script.moved_bytes();
      checkpoints += script.checkpoints();
      deliveries += seen.size();
      if (&variant == variants)
        expected = std::move(seen);
      else
        ASSERT_EQ(seen, expected) << "seed " << seed << ", " << variant.name;
    }
  }
  fmt::print("{} deliveries, {} checkpoints, {} bytes moved by the cleaner\n", deliveries, checkpoints,
             moved_bytes);
  EXPECT_GT(moved_bytes, 0U);
  EXPECT_GT(checkpoints, 0U);
}

}  // namespace weir::sim
