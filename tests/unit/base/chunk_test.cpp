#include "base/chunk.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weir {
namespace {

TEST(Chunk, is_aligned_for_direct_io_and_rounds_its_capacity_up) {
  const ChunkRef chunk = ChunkRef::adopt(Chunk::make(5000));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(chunk->data()) % 4096, 0U);
  EXPECT_EQ(chunk->capacity(), 8192U);
}

TEST(Chunk, all_of_its_capacity_can_be_written) {
  const ChunkRef chunk = ChunkRef::adopt(Chunk::make(4096));
  std::memset(chunk->data(), 0x5a, chunk->capacity());
  EXPECT_EQ(chunk->data()[chunk->capacity() - 1], std::byte{0x5a});
}

TEST(Chunk, is_unique_until_it_is_shared_and_again_when_the_others_let_go) {
  ChunkRef first = ChunkRef::adopt(Chunk::make(1));
  EXPECT_TRUE(first->unique());
  ChunkRef second = first;
  EXPECT_EQ(second.get(), first.get());
  EXPECT_FALSE(first->unique());
  ChunkRef third = ChunkRef::share(first.get());
  second.reset();
  EXPECT_FALSE(first->unique());
  third.reset();
  EXPECT_TRUE(first->unique());
}

TEST(Chunk, a_move_passes_the_reference_on) {
  ChunkRef first = ChunkRef::adopt(Chunk::make(1));
  Chunk* chunk = first.get();
  ChunkRef second = std::move(first);
  EXPECT_EQ(second.get(), chunk);
  EXPECT_TRUE(second->unique());
}

TEST(Chunk, assigning_lets_go_of_what_was_held) {
  ChunkRef kept = ChunkRef::adopt(Chunk::make(1));
  ChunkRef other = kept;
  EXPECT_FALSE(kept->unique());
  other = ChunkRef::adopt(Chunk::make(1));
  EXPECT_TRUE(kept->unique());
  EXPECT_NE(other.get(), kept.get());
}

TEST(Chunk, assigning_a_reference_to_itself_keeps_it) {
  ChunkRef ref = ChunkRef::adopt(Chunk::make(1));
  const ChunkRef& alias = ref;
  ref = alias;
  ASSERT_TRUE(ref);
  EXPECT_TRUE(ref->unique());
}

TEST(Chunk, references_are_added_in_bulk) {
  ChunkRef ref = ChunkRef::adopt(Chunk::make(1));
  ref->add_refs(10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(ref->unique());
    ref->release();
  }
  EXPECT_TRUE(ref->unique());
}

TEST(Chunk, an_empty_reference_holds_nothing) {
  const ChunkRef empty;
  EXPECT_FALSE(empty);
  const ChunkRef copy = empty;
  EXPECT_FALSE(copy);
  EXPECT_FALSE(ChunkRef::share(nullptr));
}

TEST(Chunk, the_count_holds_when_threads_share_and_let_go_at_once) {
  const ChunkRef ref = ChunkRef::adopt(Chunk::make(1));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&ref] {
      for (int i = 0; i < 20'000; ++i) {
        const ChunkRef copy = ref;
        ASSERT_FALSE(copy->unique());
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(ref->unique());
}

}  // namespace
}  // namespace weir
