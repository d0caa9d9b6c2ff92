// What changes of queues while they are there: what their arguments and policies say of them, and what their vhosts may keep.
#include <algorithm>

#include "node/queue_counting.h"

namespace weir::node {

using broker::Entry;
using broker::Queue;

namespace {

// Of a message, about: what a record holds beside its body, properties and names.
constexpr std::uint64_t record_overhead_bytes = storage::record_header_bytes + 32;

}  // namespace

void QueueHost::tally(const Queue& queue, const Entry& entry, std::uint64_t pieces_end,
                      std::int64_t messages) {
  if (queue.tally == nullptr) return;
  static_cast<VhostTally*>(queue.tally)
      ->add(messages, messages * static_cast<std::int64_t>(kept_bytes(entry, pieces_end)));
}

void QueueHost::redefine(const broker::QueueDefinition& definition) {
  Queue* const of = queue(definition.id);
  if (of == nullptr) return;
  know_wall();
  const std::uint64_t expired_ms = of->options().expires_ms;
  broker::QueueOptions options = broker::queue_options(definition, topology_.effective_arguments(definition));
  options.alarms = &alarms_;
  of->redefine(std::move(options), wall_ms_, [this, of](Seq seq, const Entry& entry) {
    const std::uint64_t bytes = kept_bytes(entry, of->pieces_end(seq));
    return static_cast<std::uint32_t>(bytes - std::min(bytes, record_overhead_bytes));
  });
  if (of->seen != nullptr) of->seen->resize(of->options().dedup_window_ms, of->options().dedup_ids_max);
  if (of->options().expires_ms != expired_ms) {
    alarms_.cancel(of->unused);
    touch(*of);
  }
  mark_dirty(*of);  // there may be too many now
}

void QueueHost::refresh_limits(const std::string& vhost) {
  if (journal_ == nullptr) return;  // replayed() counts when all is there
  const VhostTallies::Change change = tallies_.refresh(topology_, vhost);
  if (change == VhostTallies::Change::none) return;
  VhostTally* const of_vhost = change == VhostTallies::Change::begins ? tallies_.find(vhost) : nullptr;
  for (auto& [id, of] : queues_) {
    if (of->options().vhost != vhost) continue;
    of->tally = of_vhost;
    if (of_vhost != nullptr)
      of->for_each([&](Seq seq, const Entry& entry) { tally(*of, entry, of->pieces_end(seq), 1); });
  }
  if (change == VhostTallies::Change::ends) tallies_.end(vhost);
}

}  // namespace weir::node
