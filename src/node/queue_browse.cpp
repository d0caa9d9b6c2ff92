// Consumers that only look: each goes over what is ready from the oldest message on, or from where it says, in the order
// in which messages came, and then follows what comes. It takes nothing, and nothing that happens to a message concerns
// it once it has passed.
#include <algorithm>

#include "broker/declare_arguments.h"
#include "node/queue_host.h"

namespace weir::node {

using broker::Queue;
using storage::Location;

namespace {

// Of one browser, before the next turn.
constexpr unsigned messages_per_turn = 512;
constexpr std::uint64_t time_s_max = UINT64_MAX / 1'000;

}  // namespace

class QueueHost::Browser::Load final : public storage::ReadWaiter {
 public:
  Load(QueueHost& host, Browser& browser, const Queue::Head& head)
      : host_(host), browser_(browser), head_(head) {}
  void on_read(Result<storage::CachedRecord> record) override {
    host_.browsed(browser_, head_, record);
  }  // destroys this

 private:
  QueueHost& host_;
  Browser& browser_;
  Queue::Head head_;
};

QueueHost::Browser::Browser() = default;
QueueHost::Browser::~Browser() = default;

Result<Consuming> QueueHost::browse(SessionId session, Queue& of, const ConsumeOptions& options) {
  if (!options.no_ack) {
    return fail(ErrorCode::precondition_failed,
                "a consumer with 'x-browse' has nothing to acknowledge: 'no-ack' must be true");
  }
  Link& owner = link(session);
  if (owner.consumers.contains(options.consumer) || owner.browsers.contains(options.consumer)) {
    return fail(ErrorCode::not_allowed, "the consumer's number is in use");
  }
  auto made = std::make_unique<Browser>();
  made->owner = &owner;
  made->queue = of.id();
  made->number = options.consumer;
  const broker::BrowseStart start = broker::browse_start(options.arguments);
  switch (start.at) {
    case broker::BrowseStart::At::first: break;
    case broker::BrowseStart::At::last: made->next = of.last_ready(); break;
    case broker::BrowseStart::At::next: made->next = of.next_seq(); break;
    case broker::BrowseStart::At::offset: made->next = Seq{start.value}; break;
    case broker::BrowseStart::At::time: made->from_ms = std::min(start.value, time_s_max) * 1'000; break;
  }
  browsing_[of.id()].push_back(made.get());
  owner.browsers.emplace(options.consumer, std::move(made));
  touch(of);
  mark_dirty(of);
  return Consuming{options.consumer};
}

void QueueHost::end_browser(Link& owner, ConsumerNumber number) {
  const auto at = owner.browsers.find(number);
  if (at == owner.browsers.end()) return;
  Browser& gone = *at->second;
  if (gone.load != nullptr) journal_->cancel_read(*gone.load);
  const auto of_queue = browsing_.find(gone.queue);
  std::erase(of_queue->second, &gone);
  if (of_queue->second.empty()) browsing_.erase(of_queue);
  owner.browsers.erase(at);
}

void QueueHost::end_browsers_of(QueueId queue, std::vector<ConsumerGone>& gone) {
  for (auto at = browsing_.find(queue); at != browsing_.end(); at = browsing_.find(queue)) {
    const Browser& last = *at->second.back();
    gone.push_back({last.owner->session, last.number, CancelReason::queue_deleted});
    end_browser(*last.owner, last.number);
  }
}

QueueHost::Browser* QueueHost::find_browser(SessionId session, ConsumerNumber number) {
  const auto at = links_.find(session);
  if (at == links_.end()) return nullptr;
  const auto found = at->second->browsers.find(number);
  return found == at->second->browsers.end() ? nullptr : found->second.get();
}

// A delivery to a session of this shard can call back before it returns: nothing is kept over it.
void QueueHost::pump_browsers(QueueId id) {
  const auto all = browsing_.find(id);
  if (all == browsing_.end()) return;
  std::vector<std::pair<SessionId, ConsumerNumber>> numbers;
  for (const Browser* one : all->second) numbers.emplace_back(one->owner->session, one->number);
  for (const auto& [session, number] : numbers) {
    unsigned left = messages_per_turn;
    while (left > 0 && show_next(session, number)) --left;
    if (Queue* const of = left == 0 ? queue(id) : nullptr) mark_dirty(*of);
  }
}

// False: it has seen all, or can't be shown more now.
bool QueueHost::show_next(SessionId session, ConsumerNumber number) {
  Browser* const by = find_browser(session, number);
  if (by == nullptr || by->load != nullptr || !by->owner->window.open()) return false;
  Queue* const of = queue(by->queue);
  Queue::Head head;
  if (!of->next_ready(by->next, head)) return false;
  const std::uint64_t pieces = of->pieces_end(head.seq);
  if (pieces != 0 && bodies_.is_broken(pieces)) {  // whoever consumes it sets it aside
    by->next = Seq{head.seq.value + 1};
    return true;
  }
  Message message;
  if (!bring(by->queue, head.entry, message)) {
    if (by->reference != head.entry.reference()) {
      by->load = std::make_unique<Browser::Load>(*this, *by, head);
      journal_->read(Location::from_packed(head.entry.reference()), *by->load);
      return false;
    }
    const auto location = Location::from_packed(head.entry.reference());
    message = {by->from_disk + storage::record_header_bytes + load_le<std::uint16_t>(by->from_disk + 10),
               by->chunk.get(), location.bytes()};
  }
  const ChunkRef keep = ChunkRef::share(message.chunk);
  by->chunk = ChunkRef();
  by->reference = 0;
  by->next = Seq{head.seq.value + 1};
  if (by->from_ms != 0) {
    if (broker::view_envelope(message.envelope).received_ms < by->from_ms) return true;
    by->from_ms = 0;
  }
  if (pieces != 0) {
    hold_body(*by->owner, pieces);
    message.bytes += limits::body_piece_bytes;
  }
  by->owner->window.bytes += message.bytes;
  ++by->owner->window.messages;
  ++stats_.browsed;
  const std::uint16_t returns =
      of->options().counts_returns ? of->attributes(head.seq).returns : std::uint16_t{0};
  routes_.deliver({session, number, static_cast<std::uint32_t>(message.bytes), head.entry.redelivered(),
                   returns, of->id(), head.seq, message.envelope, message.chunk, true});
  return true;
}

void QueueHost::browsed(Browser& by, Queue::Head head, const Result<storage::CachedRecord>& record) {
  by.load.reset();
  if (Queue* const of = queue(by.queue)) mark_dirty(*of);
  if (record) {
    by.reference = head.entry.reference();
    by.from_disk = record->at;
    by.chunk = ChunkRef::share(record->chunk);
    return;
  }
  // Damaged: whoever consumes it sets it aside. Or it was moved meanwhile, and is looked for again.
  const broker::Entry* const entry = queue(by.queue)->find(head.seq);
  if (entry != nullptr && entry->reference() == head.entry.reference()) by.next = Seq{head.seq.value + 1};
}

}  // namespace weir::node
