#include "storage/message_census.h"

#include <algorithm>
#include <bit>

#include "base/cursor.h"

namespace weir::storage {

void MessageCensus::there(QueueId queue, const CheckpointRun& run) {
  Queue& of = queues_[queue];
  for (std::uint64_t i = 0; i < run.count; ++i) {
    const Seq seq{run.first.value + i};
    of.chunks[seq.value / chunk_messages].there[word(seq)] |= bit(seq);
  }
}

void MessageCensus::next(QueueId queue, Seq next) {
  Queue& of = queues_[queue];
  of.next = std::max(of.next, next);
}

bool MessageCensus::has(QueueId queue, Seq seq) const {
  const auto of = queues_.find(queue);
  if (of == queues_.end()) return false;
  const auto chunk = of->second.chunks.find(seq.value / chunk_messages);
  return chunk != of->second.chunks.end() && (chunk->second.there[word(seq)] & bit(seq)) != 0;
}

void MessageCensus::placed(QueueId queue, Seq seq) {
  if (has(queue, seq)) queues_[queue].chunks[seq.value / chunk_messages].placed[word(seq)] |= bit(seq);
}

// One whose seq was given before says only where the message is, if it is still there.
void MessageCensus::enqueue(QueueId queue, Seq seq) {
  Queue& of = queues_[queue];
  if (seq < of.next) return placed(queue, seq);
  Chunk& chunk = of.chunks[seq.value / chunk_messages];
  chunk.there[word(seq)] |= bit(seq);
  chunk.placed[word(seq)] |= bit(seq);
  of.next = Seq{seq.value + 1};
}

void MessageCensus::settle(QueueId queue, Bytes runs) {
  Queue& of = queues_[queue];
  Reader in(runs);
  while (in.left() >= settle_run_bytes) {
    const auto first = in.le<std::uint64_t>();
    const auto count = in.le<std::uint32_t>();
    for (std::uint64_t i = 0; i < count; ++i) {
      const Seq seq{first + i};
      const auto chunk = of.chunks.find(seq.value / chunk_messages);
      if (chunk == of.chunks.end()) continue;
      chunk->second.there[word(seq)] &= ~bit(seq);
      chunk->second.placed[word(seq)] &= ~bit(seq);
    }
    of.next = std::max(of.next, Seq{first + count});
  }
}

void MessageCensus::take(const Record& record) {
  if (record.type == RecordType::settle) return settle(record.queue, record.payload);
  if (record.type != RecordType::enqueue) return;
  enqueue(record.queue, record.seq);
  Reader further(record.extension);
  while (further.left() >= shared_with_bytes) {
    const QueueId queue{further.le<std::uint32_t>()};
    enqueue(queue, Seq{further.le<std::uint64_t>()});
  }
}

std::map<QueueId, MessageCensus::Count> MessageCensus::counts() const {
  std::map<QueueId, Count> counts;
  for (const auto& [id, queue] : queues_) {
    Count& count = counts[id];
    for (const auto& [number, chunk] : queue.chunks) {
      for (std::size_t i = 0; i < chunk.there.size(); ++i) {
        count.messages += static_cast<std::uint64_t>(std::popcount(chunk.there[i]));
        const std::uint64_t lost = chunk.there[i] & ~chunk.placed[i];
        if (lost != 0 && count.lost == 0)
          count.first_lost =
              Seq{number * chunk_messages + i * 64 + static_cast<std::uint64_t>(std::countr_zero(lost))};
        count.lost += static_cast<std::uint64_t>(std::popcount(lost));
      }
    }
  }
  return counts;
}

}  // namespace weir::storage
