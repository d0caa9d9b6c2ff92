// The small pieces that keep order: confirm windows, what waits for the journal, memory for messages, turn hooks.
#include <cstring>

#include "node/confirm_window.h"
#include "node/durable_order.h"
#include "node/outbox.h"
#include "node/transient_store.h"
#include "node/turn_hooks.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(ConfirmWindow, confirms_at_once_what_went_to_nobody) {
  ConfirmWindow window(2);
  EXPECT_EQ(window.safe_up_to(), 0U);
  window.note_published(1);
  window.note_published(2);
  EXPECT_EQ(window.safe_up_to(), 2U);
}

TEST(ConfirmWindow, confirms_up_to_the_first_that_some_shard_owes) {
  ConfirmWindow window(3);
  for (std::uint64_t seq = 1; seq <= 6; ++seq) window.note_published(seq);
  window.note_target(ShardId{0}, 2);
  window.note_target(ShardId{0}, 3);
  window.note_target(ShardId{1}, 3);
  window.note_target(ShardId{2}, 5);
  EXPECT_EQ(window.safe_up_to(), 1U);
  window.note_safe(ShardId{0}, 2);
  EXPECT_EQ(window.safe_up_to(), 2U);
  window.note_safe(ShardId{0}, 3);
  EXPECT_EQ(window.safe_up_to(), 2U);
  window.note_safe(ShardId{1}, 3);
  EXPECT_EQ(window.safe_up_to(), 4U);
  window.note_safe(ShardId{2}, 5);
  EXPECT_EQ(window.safe_up_to(), 6U);
}

TEST(ConfirmWindow, takes_part_of_a_run) {
  ConfirmWindow window(1);
  for (std::uint64_t seq = 1; seq <= 10; ++seq) {
    window.note_published(seq);
    window.note_target(ShardId{0}, seq);
  }
  window.note_safe(ShardId{0}, 4);
  EXPECT_EQ(window.safe_up_to(), 4U);
  window.note_safe(ShardId{0}, 4);
  EXPECT_EQ(window.safe_up_to(), 4U);
}

TEST(VisibleOrder, joins_what_one_batch_holds_and_keeps_batches_apart) {
  broker::QueueOptions options;
  options.id = QueueId{1};
  broker::Queue first(options);
  options.id = QueueId{2};
  broker::Queue second(options);
  const auto push = [](broker::Queue& queue) { queue.push(queue.next_seq(), broker::Entry(1, false)); };
  VisibleOrder order;
  push(first);
  order.add(first, Lsn{10}, Lsn{0});
  push(second);
  order.add(second, Lsn{20}, Lsn{0});
  push(first);
  order.add(first, Lsn{30}, Lsn{0});  // the same batch
  push(first);
  order.add(first, Lsn{140}, Lsn{100});  // the next
  std::vector<std::pair<std::uint32_t, std::uint64_t>> taken;
  const auto take = [&](std::uint64_t durable) {
    taken.clear();
    order.take(Lsn{durable}, [&](QueueId queue, Seq end) { taken.emplace_back(queue.value, end.value); });
    return taken;
  };
  EXPECT_THAT(take(100), ElementsAre(Pair(1U, 2U), Pair(2U, 1U)));
  EXPECT_THAT(take(100), IsEmpty());
  push(second);
  order.add(second, Lsn{150}, Lsn{100});
  EXPECT_THAT(take(200), ElementsAre(Pair(1U, 3U), Pair(2U, 2U)));
}

TEST(VisibleOrder, lets_what_needs_no_disk_join_the_newest_of_its_queue) {
  broker::QueueOptions options;
  options.id = QueueId{1};
  broker::Queue queue(options);
  VisibleOrder order;
  queue.push(queue.next_seq(), broker::Entry(1, false));
  order.add(queue, Lsn{10}, Lsn{0});
  queue.push(queue.next_seq(), broker::Entry(1, true));
  EXPECT_EQ(order.join(queue), Lsn{10});
  std::uint64_t visible = 0;
  order.take(Lsn{10}, [&](QueueId, Seq end) { visible = end.value; });
  EXPECT_EQ(visible, 2U);
}

TEST(AckOrder, joins_a_publishers_acks_of_a_turn_and_gives_them_in_order) {
  AckOrder order;
  const auto ack = [](std::uint32_t publisher, std::uint64_t up_to, std::uint64_t rejected = 0) {
    PublishAck made;
    made.publisher = publisher;
    made.up_to = up_to;
    made.bytes = 1;
    made.rejected = rejected;
    return made;
  };
  order.add(Lsn{10}, ack(1, 1), 1);
  order.add(Lsn{20}, ack(1, 2), 1);
  order.add(Lsn{0}, ack(1, 3, 3), 1);
  order.add(Lsn{0}, ack(2, 1), 1);
  order.add(Lsn{30}, ack(2, 2), 2);
  std::vector<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>> taken;
  const auto take = [&](std::uint64_t durable) {
    order.take(Lsn{durable}, [&](const PublishAck& a) { taken.emplace_back(a.publisher, a.up_to, a.bytes); });
  };
  take(10);
  EXPECT_THAT(taken, IsEmpty()) << "what needs no disk waits for what came before";
  take(20);
  EXPECT_THAT(taken, ElementsAre(std::tuple(1U, 2U, 2U), std::tuple(1U, 3U, 1U), std::tuple(2U, 1U, 1U)));
}

TEST(TransientStore, keeps_a_message_until_the_last_of_its_queues_lets_go) {
  std::atomic<std::uint64_t> in_use{0};
  TransientStore store(in_use);
  std::byte* envelope = nullptr;
  const std::uint64_t shared = store.allocate(100, 3, envelope);
  EXPECT_EQ(TransientStore::envelope(shared), envelope);
  EXPECT_EQ(TransientStore::bytes(shared), 100U);
  EXPECT_LT(shared, std::uint64_t{1} << 60);
  store.release(shared);
  store.release(shared);
  EXPECT_GT(in_use.load(), 0U);
  store.release(shared);
  EXPECT_EQ(in_use.load(), 0U);
}

TEST(TransientStore, keeps_messages_apart_whatever_their_sizes_and_lives) {
  std::atomic<std::uint64_t> in_use{0};
  TransientStore store(in_use);
  Rng rng(3);
  struct Kept {
    std::uint64_t reference;
    std::size_t bytes;
    std::byte fill;
  };
  std::vector<Kept> kept;
  for (int step = 0; step < 20'000; ++step) {
    if (kept.size() < 200 && rng.chance(1, 2)) {
      const std::size_t bytes = rng.chance(1, 20) ? 10'000 + rng.below(60'000) : 1 + rng.below(500);
      std::byte* at = nullptr;
      const std::uint64_t reference = store.allocate(bytes, 1, at);
      const auto fill = static_cast<std::byte>(rng.next());
      std::memset(at, static_cast<int>(fill), bytes);
      kept.push_back({reference, bytes, fill});
    } else if (!kept.empty()) {
      const std::size_t which = rng.below(kept.size());
      const Kept gone = kept[which];
      kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(which));
      const Bytes bytes(TransientStore::envelope(gone.reference), gone.bytes);
      ASSERT_TRUE(std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) { return b == gone.fill; }));
      store.release(gone.reference);
    }
  }
  for (const Kept& left : kept) store.release(left.reference);
  EXPECT_EQ(in_use.load(), 0U);
}

TEST(TurnHooks, run_once_and_may_ask_again_or_leave) {
  struct Hook final : TurnHook {
    std::function<void()> call;
    int times = 0;
    void on_turn_end() override {
      ++times;
      if (call) call();
    }
  };
  TurnHooks hooks;
  Hook first, second;
  first.call = [&] {
    if (first.times == 1) hooks.add(first);
    hooks.remove(second);
  };
  hooks.add(first);
  hooks.add(first);
  hooks.add(second);
  hooks.run();
  EXPECT_EQ(first.times, 2);
  EXPECT_EQ(second.times, 0);
  EXPECT_TRUE(hooks.empty());
}

TEST(Outbox, keeps_the_order_of_different_messages_and_joins_what_follows_its_like) {
  struct Caught final : Peers {
    std::vector<std::size_t> kinds;
    void send(ShardId, std::vector<ShardMessage>& messages) override {
      for (const ShardMessage& message : messages) kinds.push_back(message.index());
      messages.clear();
    }
  } peers;
  Outbox outbox(2, peers);
  outbox.batch<SettleBatch>(ShardId{1}).items.emplace_back();
  outbox.batch<SettleBatch>(ShardId{1}).items.emplace_back();
  outbox.add(ShardId{1}, ConsumerGone{});
  outbox.batch<SettleBatch>(ShardId{1}).items.emplace_back();
  outbox.flush();
  ASSERT_EQ(peers.kinds.size(), 3U);
  EXPECT_EQ(peers.kinds[0], peers.kinds[2]);
  EXPECT_NE(peers.kinds[0], peers.kinds[1]);
  outbox.flush();
  EXPECT_EQ(peers.kinds.size(), 3U);
}

}  // namespace weir::node
