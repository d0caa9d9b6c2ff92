// What is counted of queues, and what those see who look at them. Counting is a few additions where something happens.
#include <algorithm>

#include "node/observe.h"
#include "node/queue_counting.h"

namespace weir::node {

using broker::Consumer;
using broker::Entry;
using broker::EntryState;
using broker::Queue;
using broker::QueueCount;
using broker::QueueUse;

// --- counting ---

void QueueHost::begin_use(Queue& queue) {
  know_wall();
  if (queue.use == nullptr) queue.use = std::make_unique<QueueUse>();
  QueueUse& use = *queue.use;
  use.metered = true;
  use.active_ms = wall_ms_;
  use.meter.begin(counts_of(use), clock_.monotonic_ms());
  if (keeps_samples_) metered_.push_back(queue.id());
}

// With the time that has not ended yet.
Counters<QueueCount> QueueHost::counts_of(const QueueUse& use) {
  Counters<QueueCount> counts = use.counts;
  if (use.blocked_since_ms != 0)
    counts[QueueCount::blocked_ms] += clock_.monotonic_ms() - use.blocked_since_ms;
  return counts;
}

void QueueHost::count_restored(Queue& queue, const Entry& entry, std::uint64_t pieces_end) {
  if (queue.use == nullptr) queue.use = std::make_unique<QueueUse>();
  ++queue.use->kept[0].messages;
  queue.use->kept[0].bytes += kept_bytes(entry, pieces_end);
}

void QueueHost::count_empty_get(Queue& queue, SessionId session) {
  ++use_of(queue).counts[QueueCount::get_empty];
  ++traffic_->of(protocol_of(session))
        .deliveries[static_cast<std::size_t>(queue.options().kind)][QueueCount::get_empty];
}

// After the queue has given out what it could.
void QueueHost::note_blocked(Queue& queue) {
  if (queue.use == nullptr) return;
  QueueUse& use = *queue.use;
  const bool blocked =
      queue.ready() > 0 && !queue.consumers().empty() && !queue.loading && queue.next_consumer() == nullptr;
  if (blocked == (use.blocked_since_ms != 0)) return;
  const std::uint64_t now_ms = clock_.monotonic_ms();
  if (blocked) {
    use_of(queue).blocked_since_ms = std::max<std::uint64_t>(now_ms, 1);
  } else {
    use.counts[QueueCount::blocked_ms] += now_ms - use.blocked_since_ms;
    use.blocked_since_ms = 0;
  }
}

bool QueueHost::sample_uses(std::size_t& at, std::size_t max) {
  know_wall();
  const std::uint64_t now_ms = clock_.monotonic_ms();
  for (; max > 0 && at < metered_.size(); --max) {
    Queue* const of = queue(metered_[at]);
    if (of != nullptr) {
      QueueUse& use = *of->use;
      const Counters<QueueCount> counts = counts_of(use);
      if (use.meter.grew(counts)) use.active_ms = wall_ms_;
      use.metered = !use.meter.settled(counts);
      use.meter.sample(counts, now_ms);
      if (use.metered) {
        ++at;
        continue;
      }
    }
    metered_[at] = metered_.back();
    metered_.pop_back();
  }
  return at < metered_.size();
}

// --- looking ---

bool QueueHost::row_of(QueueId id, QueueRow& row) {
  Queue* const of = queue(id);
  if (of == nullptr) return false;
  row.queue = id;
  row.shard = routes_.self();
  row.unacknowledged = of->out();
  row.held = of->held();
  row.ready = of->ready();
  row.consumers = static_cast<std::uint32_t>(of->consumers().size());
  row.memory_bytes = of->memory_bytes();
  if (const Consumer* const active = of->active_consumer()) {
    row.active_session = active->session;
    row.active_consumer = active->tag;
  }
  if (of->use == nullptr) {
    row.consumer_capacity = row.consumers > 0 ? 1 : 0;
    return true;
  }
  const QueueUse& use = *of->use;
  row.used = true;
  row.persistent = use.kept[0].messages;
  row.bytes = use.bytes();
  row.bytes_unacknowledged = use.out_bytes;
  row.bytes_persistent = use.kept[0].bytes;
  row.bytes_in_memory = use.kept[1].bytes;
  row.memory_bytes += use.kept[1].bytes;
  row.counts = counts_of(use);
  if (use.metered) {
    row.rates = use.meter.per_second(row.counts, clock_.monotonic_ms());
  } else {
    row.idle_since_ms = use.active_ms;
  }
  if (row.consumers > 0) {
    constexpr double ms_per_second = 1'000;
    row.consumer_capacity = std::clamp(1 - row.rates[QueueCount::blocked_ms] / ms_per_second, 0.0, 1.0);
  }
  find_oldest(*of, row);
  return true;
}

bool QueueHost::learn_oldest(QueueId id, std::function<void()> done) {
  Queue* const of = queue(id);
  if (of == nullptr) return false;
  QueueRow row;
  find_oldest(*of, row);
  if (!row.oldest_on_disk) return false;
  const std::uint64_t number = next_oldest_load_++;
  const Seq oldest = of->oldest();
  auto load = std::make_unique<OldestLoad>(*this, number, id, oldest, std::move(done));
  OldestLoad& waiter = *load;
  oldest_loads_.emplace(number, std::move(load));
  journal_->read(storage::Location::from_packed(of->find(oldest)->reference()), waiter);
  return true;
}

void QueueHost::learned_oldest(std::uint64_t number, const Result<storage::CachedRecord>& record) {
  const auto at = oldest_loads_.find(number);
  const std::unique_ptr<OldestLoad> load = std::move(at->second);
  oldest_loads_.erase(at);
  Queue* const of = queue(load->queue);
  if (record && of != nullptr && of->use != nullptr) {
    of->use->known = load->seq;
    of->use->known_ms = broker::received_ms(record->at + storage::record_header_bytes +
                                            load_le<std::uint16_t>(record->at + 10));
  }
  load->on_done();
}

void QueueHost::forget_oldest_loads() {
  for (auto& [number, load] : oldest_loads_) journal_->cancel_read(*load);
  oldest_loads_.clear();
}

// As far as it is in memory.
void QueueHost::find_oldest(Queue& of, QueueRow& row) {
  if (of.total() == 0) return;
  QueueUse& use = *of.use;
  const Seq oldest = of.oldest();
  if (use.known != oldest) {
    Message message;
    if (!bring(of.id(), *of.find(oldest), message)) {
      row.oldest_on_disk = true;
      return;
    }
    use.known = oldest;
    use.known_ms = broker::received_ms(message.envelope);
  }
  row.oldest_ms = use.known_ms;
}

std::size_t QueueHost::consumer_rows(QueueId id, std::size_t first, std::size_t max,
                                     std::vector<ConsumerRow>& rows) const {
  const Queue* const of = find(id);
  if (of == nullptr) return 0;
  const std::vector<Consumer*>& consumers = of->consumers();
  const bool single = of->options().single_active;
  for (std::size_t at = first; at < consumers.size() && at - first < max; ++at) {
    const Consumer& one = *consumers[at];
    ConsumerRow row;
    row.queue = id;
    row.session = one.session;
    row.channel = one.channel;
    row.tag = one.tag;
    row.ack_required = !one.no_ack;
    row.exclusive = one.exclusive;
    row.active = !single || of->active_consumer() == &one;
    if (single) row.activity_status = row.active ? "single_active" : "waiting";
    row.prefetch = one.prefetch;
    row.unacknowledged = one.unacked;
    row.priority = one.priority;
    row.arguments = one.arguments;
    rows.push_back(std::move(row));
  }
  return consumers.size();
}

}  // namespace weir::node
