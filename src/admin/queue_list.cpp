#include "admin/queue_list.h"

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "admin/listing.h"
#include "admin/queue_views.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::QueueCount;
using node::QueueName;
using node::QueueRow;

constexpr std::size_t queues_at_once = 250;   // that are looked at
constexpr std::size_t names_at_once = 1'000;  // that are sorted on the shard's own thread
constexpr std::size_t items_at_once = 50;     // that are written there
constexpr std::size_t pieces_from = 1'000;    // longer lists are sent in pieces

template <QueueCount... kinds>
double counted(const QueueRow& row) {
  return static_cast<double>((row.counts[kinds] + ...));
}
template <QueueCount... kinds>
double rate(const QueueRow& row) {
  return (row.rates[kinds] + ...);
}

// Numbers that lists are sorted by. Whoever asks for another column has all of the list written before it is sorted.
struct NumberColumn {
  std::string_view name;
  double (*key)(const QueueRow& row);
};
using enum QueueCount;
constexpr NumberColumn number_columns[] = {
    {"messages", [](const QueueRow& row) { return static_cast<double>(row.messages()); }},
    {"messages_ready", [](const QueueRow& row) { return static_cast<double>(row.ready); }},
    {"messages_unacknowledged", [](const QueueRow& row) { return static_cast<double>(row.unacknowledged); }},
    {"messages_persistent", [](const QueueRow& row) { return static_cast<double>(row.persistent); }},
    {"message_bytes", [](const QueueRow& row) { return static_cast<double>(row.bytes); }},
    {"consumers", [](const QueueRow& row) { return static_cast<double>(row.consumers); }},
    {"consumer_capacity", [](const QueueRow& row) { return row.consumer_capacity; }},
    {"consumer_utilisation", [](const QueueRow& row) { return row.consumer_capacity; }},
    {"memory", [](const QueueRow& row) { return static_cast<double>(row.memory_bytes); }},
    {"message_stats.publish", counted<publish>},
    {"message_stats.deliver_get", counted<deliver, deliver_no_ack, get, get_no_ack>},
    {"message_stats.ack", counted<ack>},
    {"message_stats.redeliver", counted<redeliver>},
    {"message_stats.publish_details.rate", rate<publish>},
    {"message_stats.deliver_get_details.rate", rate<deliver, deliver_no_ack, get, get_no_ack>},
    {"message_stats.ack_details.rate", rate<ack>},
    {"message_stats.redeliver_details.rate", rate<redeliver>},
};

class QueueList : public std::enable_shared_from_this<QueueList> {
 public:
  QueueList(Call& call, Listing listing, SampleRanges ranges)
      : call_(call.keep()),
        listing_(std::move(listing)),
        ranges_(ranges),
        node_name_(call.api().at().client.node_name()) {}

  void begin() {
    node::ObserveScope scope;
    scope.names = true;
    if (call_->captures("vhost")) scope.vhost = call_->capture("vhost");
    for (const broker::VhostDefinition* vhost : call_->vhosts()) vhosts_.insert(vhost->name);
    if (!listing_.sort.empty()) {
      const std::string& sort = listing_.sort.front();
      by_name_ = sort == "name";
      const auto* const column = std::find_if(std::begin(number_columns), std::end(number_columns),
                                              [&](const NumberColumn& one) { return one.name == sort; });
      if (column != std::end(number_columns)) scope.key = column->key;
      whole_ = scope.key == nullptr && !by_name_ && sort != "vhost";
    }
    call_->observe(std::move(scope), [self = shared_from_this()](Call&, node::Observed&& seen) {
      self->choose(std::move(seen.names));
    });
  }

 private:
  // --- which ones ---

  void choose(std::vector<std::vector<QueueName>> names) {
    std::size_t count = 0;
    for (const auto& part : names) count += part.size();
    run(count <= names_at_once, [self = shared_from_this(), parts = std::make_shared<decltype(names)>(
                                                                std::move(names))] { self->sort(*parts); });
  }

  void sort(std::vector<std::vector<QueueName>>& parts) {
    auto filter = NameFilter::make(listing_);
    if (!filter) {
      refusal_ = std::move(filter.error());
      return;
    }
    std::vector<QueueName*> names;
    for (auto& part : parts) {
      for (QueueName& name : part) {
        if (!vhosts_.contains(name.vhost)) continue;
        ++total_;
        if (whole_ || filter->wants(name.name)) names.push_back(&name);
      }
    }
    refusal_ = filter->refusal();
    filtered_ = names.size();
    PageCut cut{0, filtered_};
    if (listing_.page && !refusal_ && !whole_) {
      const auto page = cut_page(*listing_.page, filtered_);
      if (!page) refusal_ = page.error();
      cut = page.value_or(cut);
    }
    if (refusal_) return;
    const auto before = [this](const QueueName* a, const QueueName* b) {
      if (listing_.reverse) std::swap(a, b);
      if (a->key != b->key) return a->key < b->key;
      return by_name_ ? std::tie(a->name, a->vhost) < std::tie(b->name, b->vhost)
                      : std::tie(a->vhost, a->name) < std::tie(b->vhost, b->name);
    };
    const auto at = [&](std::size_t place) { return names.begin() + static_cast<std::ptrdiff_t>(place); };
    if (cut.first > 0 && cut.first < filtered_)
      std::nth_element(names.begin(), at(cut.first), names.end(), before);
    std::partial_sort(at(cut.first), at(cut.end), names.end(), before);
    for (std::size_t i = cut.first; i < cut.end; ++i) chosen_.push_back(names[i]->queue);
    parts.clear();  // here, where it holds nobody up
  }

  // --- what they are ---

  void next() {
    if (refusal_) return call_->refuse(400, refusal_->error, refusal_->reason);
    if (!call_->alive()) return;
    if (looked_at_ == chosen_.size()) return finish();
    in_pieces_ = chosen_.size() > pieces_from && !whole_ && !listing_.page && call_->takes_pieces();
    if (in_pieces_ && !text_.empty()) return send_piece();
    look();
  }

  // What there is; the next ones are looked at when it is on its way: a slow reader has one piece in memory.
  void send_piece() {
    std::string text = std::exchange(text_, {});
    if (std::exchange(begun_, true)) return call_->next_piece(std::move(text), false);
    call_->begin_pieces("[" + text, [self = shared_from_this()] { self->look(); });
  }

  void look() {
    node::ObserveScope scope;
    scope.queues = true;
    scope.reads_oldest = false;
    const std::size_t first = looked_at_, end = std::min(chosen_.size(), first + queues_at_once);
    for (; looked_at_ < end; ++looked_at_) scope.only.push_back(chosen_[looked_at_]);
    call_->observe(std::move(scope), [self = shared_from_this(), first](Call&, node::Observed&& seen) {
      self->show(first, std::move(seen));
    });
  }

  void show(std::size_t first, node::Observed&& seen) {
    std::unordered_map<QueueId, QueueRow*> rows;
    for (QueueRow& row : seen.queues) rows.emplace(row.queue, &row);
    const auto queues = std::make_shared<std::vector<SeenQueue>>();
    for (std::size_t i = first; i < looked_at_; ++i) {
      const broker::QueueDefinition* const queue = call_->topology().find_queue(chosen_[i]);
      if (queue == nullptr) continue;  // it has gone meanwhile
      const auto row = rows.find(chosen_[i]);
      queues->push_back(
          seen_queue(*call_, *queue, row == rows.end() ? QueueRow{} : std::move(*row->second), ranges_));
    }
    run(queues->size() <= items_at_once,
        [self = shared_from_this(), queues, now_ms = seen.at_ms] { self->write(*queues, now_ms); });
  }

  void write(const std::vector<SeenQueue>& queues, std::uint64_t now_ms) {
    for (const SeenQueue& queue : queues) {
      json::object view = seen_queue_view(queue, node_name_, now_ms, ranges_);
      if (whole_) {
        items_.push_back(std::move(view));
        continue;
      }
      if (written_++ > 0) text_ += ',';
      text_ += json::serialize(listing_.columns.empty() ? json::value(std::move(view))
                                                        : take_columns(view, listing_));
    }
  }

  // --- the answer ---

  void finish() {
    if (begun_) return call_->next_piece(std::move(text_) + "]", true);
    if (!whole_) return call_->reply_json(200, framed());
    whole_ = false;
    run(false, [self = shared_from_this()] {
      auto arranged = arrange(std::move(self->items_), self->listing_, {"vhost", "name"});
      if (arranged) {
        self->arranged_ = json::serialize(*arranged);
      } else {
        self->refusal_ = std::move(arranged.error());
      }
    });
  }

  std::string framed() {
    if (!arranged_.empty()) return std::move(arranged_);
    if (!listing_.page) return "[" + std::move(text_) + "]";
    json::object frame = page_view(*listing_.page, total_, filtered_, {});
    frame["item_count"] = written_;
    std::string text = json::serialize(frame);
    constexpr std::string_view items = "\"items\":[";
    text.insert(text.find(items) + items.size(), text_);
    return text;
  }

  // `work` here or on another thread, and then what comes next.
  template <typename Work>
  void run(bool here, Work work) {
    if (here) {
      work();
      return next();
    }
    if (!call_->offload(std::move(work), [self = shared_from_this()] { self->next(); })) call_->give_up();
  }

  const std::shared_ptr<Call> call_;
  const Listing listing_;
  const SampleRanges ranges_;
  const std::string node_name_;
  std::set<std::string, std::less<>> vhosts_;
  bool by_name_ = false;
  bool in_pieces_ = false, begun_ = false;  // the answer: is, and some of it is on its way
  bool whole_ = false;                      // what it is sorted by is only known of what is written: all are
  std::size_t total_ = 0, filtered_ = 0;
  std::vector<QueueId> chosen_;  // in order
  std::size_t looked_at_ = 0, written_ = 0;
  std::string text_;                 // items, with commas between them
  std::vector<json::object> items_;  // where all are written
  std::string arranged_;
  std::optional<ListingError> refusal_;
};

}  // namespace

void list_queues(Call& call) {
  auto listing = read_listing(call.target());
  if (!listing) return call.refuse(400, listing.error().error, listing.error().reason);
  const auto ranges = call.sample_ranges();
  if (!ranges) return;
  std::make_shared<QueueList>(call, std::move(*listing), *ranges)->begin();
}

}  // namespace weir::admin
