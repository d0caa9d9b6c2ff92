#include "protocol/mqtt/subscriptions.h"

#include <utility>

namespace weir::mqtt {

namespace {
constexpr std::int64_t no_local_bit = 4, as_published_bit = 8;
}

broker::Table arguments_of(const Subscribed& subscribed) {
  broker::Table arguments;
  const std::int64_t options = subscribed.qos | (subscribed.no_local ? no_local_bit : 0) |
                               (subscribed.retain_as_published ? as_published_bit : 0);
  arguments.append(std::string(filter_argument), {subscribed.filter});
  arguments.append(std::string(options_argument), {options});
  if (subscribed.id != 0) arguments.append(std::string(id_argument), {std::int64_t{subscribed.id}});
  return arguments;
}

std::optional<Subscribed> subscribed_by(const broker::Table& arguments) {
  const broker::Value* const filter = arguments.find(filter_argument);
  const broker::Value* const options = arguments.find(options_argument);
  std::int64_t bits = 0, id = 0;
  if (filter == nullptr || filter->as_string() == nullptr || options == nullptr || !options->as_integer(bits))
    return std::nullopt;
  if (const broker::Value* const given = arguments.find(id_argument);
      given != nullptr && (!given->as_integer(id) || id < 0 || id > subscription_identifier_max))
    return std::nullopt;
  if ((bits & 3) == 3 || !is_subscribable(*filter->as_string())) return std::nullopt;
  Subscribed out;
  out.filter = *filter->as_string();
  out.qos = static_cast<std::uint8_t>(bits & 3);
  out.no_local = (bits & no_local_bit) != 0;
  out.retain_as_published = (bits & as_published_bit) != 0;
  out.id = static_cast<std::uint32_t>(id);
  return out;
}

Subscribed* SubscriptionSet::find(std::string_view filter) {
  if (tree_ != nullptr) {
    const SubscriptionTree::Value place = tree_->find(filter);
    return place == SubscriptionTree::no_value ? nullptr : &all_[place];
  }
  const auto at =
      std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one.filter == filter; });
  return at == all_.end() ? nullptr : &*at;
}

Subscribed* SubscriptionSet::find(node::ConsumerNumber consumer) {
  const auto at =
      std::find_if(all_.begin(), all_.end(), [&](const auto& one) { return one.consumer == consumer; });
  return at == all_.end() ? nullptr : &*at;
}

void SubscriptionSet::put(Subscribed subscribed) {
  if (Subscribed* const there = find(subscribed.filter)) {
    *there = std::move(subscribed);
    return;
  }
  all_.push_back(std::move(subscribed));
  const auto place = [this](std::size_t at) {
    tree_->put(all_[at].filter, static_cast<SubscriptionTree::Value>(at));
  };
  if (tree_ != nullptr) return place(all_.size() - 1);
  if (all_.size() < tree_from) return;
  tree_ = std::make_unique<SubscriptionTree>(reinterpret_cast<std::uintptr_t>(this));  // nobody knows it
  for (std::size_t at = 0; at < all_.size(); ++at) place(at);
}

// The last one takes its place.
void SubscriptionSet::remove(std::string_view filter) {
  Subscribed* const gone = find(filter);
  if (gone == nullptr) return;
  if (tree_ != nullptr) tree_->erase(gone->filter);
  if (gone != &all_.back()) {
    *gone = std::move(all_.back());
    if (tree_ != nullptr) tree_->put(gone->filter, static_cast<SubscriptionTree::Value>(gone - all_.data()));
  }
  all_.pop_back();
}

std::uint8_t SubscriptionSet::qos_max() const {
  std::uint8_t most = 0;
  for (const Subscribed& one : all_) {
    if (one.consumer == node::no_consumer) most = std::max(most, one.qos);
  }
  return most;
}

bool SubscriptionSet::any_of_own() const {
  return std::any_of(all_.begin(), all_.end(),
                     [](const Subscribed& one) { return one.consumer == node::no_consumer; });
}

void SubscriptionSet::add_to(Handing& handing, std::vector<std::uint32_t>& ids, const Subscribed& one,
                             bool own) const {
  if (one.consumer != node::no_consumer || (own && one.no_local)) return;
  handing.wanted = true;
  handing.qos = std::max(handing.qos, one.qos);
  handing.retain_as_published = handing.retain_as_published || one.retain_as_published;
  if (one.id != 0) ids.push_back(one.id);
}

Handing SubscriptionSet::match(std::string_view topic, bool own, std::vector<std::uint32_t>& ids) const {
  Handing out;
  if (tree_ != nullptr) {
    if (is_topic_name(topic))
      tree_->match(topic, [&](SubscriptionTree::Value place) { add_to(out, ids, all_[place], own); });
    return out;
  }
  for (const Subscribed& one : all_) {
    if (matches(one.filter, topic)) add_to(out, ids, one, own);
  }
  return out;
}

}  // namespace weir::mqtt
