#include "node/checkpoint_walk.h"

namespace weir::node {
namespace {

// A turn's share: some hundred microseconds.
constexpr std::size_t messages_per_step = 16'384;
constexpr std::size_t queues_per_step = 1'024;

}  // namespace

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
    at_ = queue->visit(at_, end_, messages_left, [&](Seq seq, const broker::Entry& entry) {
      --messages_left;
      if (entry.transient()) return;
      writer_.message(seq, storage::Location::from_packed(entry.reference()), entry.redelivered(), 0, {});
    });
    if (at_ < end_) break;
    queues_.pop_back();
    begun_ = false;
    ++queues;
  }
  return queues_.empty();
}

}  // namespace weir::node
