#include "node/checkpoint_walk.h"

#include <algorithm>
#include <cstdint>

namespace weir::node {
namespace {

// A turn's share: some hundred microseconds.
constexpr std::size_t messages_per_step = 16'384;
constexpr std::size_t queues_per_step = 1'024;

}  // namespace

// The next chunk of the index, or what is left of one. Returns what it cost, in messages.
std::size_t CheckpointWalk::tell(broker::Queue& queue) {
  broker::QueueIndex& index = queue.index();
  constexpr std::uint64_t chunk = broker::QueueIndex::chunk_entries;
  const Seq chunk_end{(at_.value / chunk + 1) * chunk};
  const broker::QueueIndex::Told told = index.told(at_);
  if (told.walk == 0 || told.walk != last_walk_ || chunk_end > end_ || writer_.wants_each())
    return tell_chunk(queue, std::min(chunk_end, end_));
  writer_.messages(at_, chunk, told.redelivered);
  index.tell(at_, {last_walk_ + 1, told.redelivered});
  at_ = chunk_end;
  return 1;
}

std::size_t CheckpointWalk::tell_chunk(broker::Queue& queue, Seq end) {
  // Nothing may be there for long.
  Seq first;
  if (!queue.index().next_live(at_, end, first)) {
    if (!queue.index().next_live(end, end_, first)) first = end_;
    at_ = first;
    return 1;
  }
  std::size_t count = 0, alike = 0, redelivered = 0;
  queue.visit(first, end, SIZE_MAX, [&](Seq seq, const broker::Entry& entry) {
    ++count;
    if (entry.transient()) return;
    const bool again = entry.redelivered();
    redelivered += again ? 1 : 0;
    broker::MessageAttributes attributes = queue.attributes(seq);
    // What may change goes into the checkpoint, what stays as it is into the listing.
    const std::uint32_t fate = attributes.returns | std::uint32_t{attributes.leaving} << 16;
    attributes.returns = 0;
    attributes.leaving = 0;
    encoded_.clear();
    broker::encode_attributes(attributes, encoded_);
    const auto location = storage::Location::from_packed(entry.reference());
    if (writer_.message(seq, location, again, fate, encoded_) && fate == 0) ++alike;
  });
  const bool all_alike =
      alike == broker::QueueIndex::chunk_entries && (redelivered == 0 || redelivered == alike);
  if (all_alike) queue.index().tell(first, {last_walk_ + 1, redelivered > 0});
  at_ = end;
  return count + 1;
}

bool CheckpointWalk::step() {
  std::size_t messages_left = messages_per_step;
  for (std::size_t queues = 0; queues < queues_per_step && messages_left > 0 && !queues_.empty();) {
    broker::Queue* const queue = host_.find(queues_.back());
    if (queue == nullptr) {  // deleted meanwhile
      queues_.pop_back();
      begun_ = false;
      continue;
    }
    if (!begun_) {
      begun_ = true;
      at_ = Seq{0};
      end_ = queue->next_seq();
      writer_.begin_queue(queue->id(), end_);
    }
    while (at_ < end_ && messages_left > 0) messages_left -= std::min(messages_left, tell(*queue));
    if (at_ < end_) break;
    queues_.pop_back();
    begun_ = false;
    ++queues;
  }
  return queues_.empty();
}

}  // namespace weir::node
