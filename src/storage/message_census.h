// What it is: which messages of which queues are there, as a start finds it, in two bits for each: for tools that look at
// a data directory and have no queues. It is told what a start tells its queues, in the same order.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "base/ids.h"
#include "storage/checkpoint.h"
#include "storage/record.h"

namespace weir::storage {

class MessageCensus {
 public:
  // --- of a checkpoint, then of listings ---
  void there(QueueId queue, const CheckpointRun& run);
  void next(QueueId queue, Seq next);
  void placed(QueueId queue, Seq seq);
  // --- of the log ---
  void take(const Record& record);

  // Needed, wherever it is.
  bool has(QueueId queue, Seq seq) const;

  struct Count {
    std::uint64_t messages = 0;
    std::uint64_t lost = 0;  // of them, without a place
    Seq first_lost;
  };
  std::map<QueueId, Count> counts() const;
  // Ascending: (QueueId, Seq next), then (Seq) for each message of the queue.
  template <typename Q, typename M>
  void for_each(Q&& queue_begins, M&& message) const;

 private:
  static constexpr std::uint64_t chunk_messages = 4096;
  struct Chunk {
    std::array<std::uint64_t, chunk_messages / 64> there{}, placed{};
  };
  struct Queue {
    Seq next;
    std::map<std::uint64_t, Chunk> chunks;
  };
  static std::uint64_t bit(Seq seq) { return std::uint64_t{1} << (seq.value % 64); }
  static std::size_t word(Seq seq) { return seq.value % chunk_messages / 64; }
  void enqueue(QueueId queue, Seq seq);
  void settle(QueueId queue, Bytes runs);

  std::map<QueueId, Queue> queues_;
};

template <typename Q, typename M>
void MessageCensus::for_each(Q&& queue_begins, M&& message) const {
  for (const auto& [id, queue] : queues_) {
    queue_begins(id, queue.next);
    for (const auto& [number, chunk] : queue.chunks) {
      for (std::uint64_t i = 0; i < chunk_messages; ++i) {
        const Seq seq{number * chunk_messages + i};
        if ((chunk.there[word(seq)] & bit(seq)) != 0) message(seq);
      }
    }
  }
}

}  // namespace weir::storage
