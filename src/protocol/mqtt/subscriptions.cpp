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
  } else {
    all_.push_back(std::move(subscribed));
  }
}

void SubscriptionSet::remove(std::string_view filter) {
  std::erase_if(all_, [&](const Subscribed& one) { return one.filter == filter; });
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

Handing SubscriptionSet::match(std::string_view topic, bool own, std::vector<std::uint32_t>& ids) const {
  Handing out;
  for (const Subscribed& one : all_) {
    if (one.consumer != node::no_consumer || (own && one.no_local) || !matches(one.filter, topic)) continue;
    out.wanted = true;
    out.qos = std::max(out.qos, one.qos);
    out.retain_as_published = out.retain_as_published || one.retain_as_published;
    if (one.id != 0) ids.push_back(one.id);
  }
  return out;
}

}  // namespace weir::mqtt
