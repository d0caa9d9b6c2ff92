// What it is: the subscriptions of a connection, by the client's id and by the number that the broker knows them by.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/selector/selector.h"
#include "node/session.h"
#include "protocol/common/unacked.h"

namespace weir::stomp {

enum class AckMode : std::uint8_t {
  automatic,   // "auto"
  cumulative,  // "client": a message and all before it
  individual,  // "client-individual"
};

struct Subscription {
  std::string id;
  node::ConsumerNumber number = node::no_consumer;
  AckMode ack = AckMode::automatic;
  std::string queue;
  std::uint32_t prefetch = 0;
  bool durable = false;  // of a topic, in a queue that stays
  std::optional<broker::Selector> selector{};
  UnackedWindow unacked{};
};

class Subscriptions {
 public:
  std::size_t size() const { return by_id_.size(); }
  Subscription* find(std::string_view id) const {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second.get();
  }
  Subscription* find(node::ConsumerNumber number) const {
    const auto at = by_number_.find(number);
    return at == by_number_.end() ? nullptr : at->second;
  }
  // Of an id that none has. Its number is used by no other one of this connection.
  Subscription& add(std::string id) {
    auto made = std::make_unique<Subscription>();
    made->id = std::move(id);
    made->number = ++last_number_;
    Subscription& subscription = *made;
    by_number_.emplace(subscription.number, &subscription);
    by_id_.emplace(subscription.id, std::move(made));
    return subscription;
  }
  void remove(const Subscription& subscription) {
    by_number_.erase(subscription.number);
    by_id_.erase(by_id_.find(subscription.id));
  }
  void clear() {
    by_number_.clear();
    by_id_.clear();
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [id, subscription] : by_id_) visit(*subscription);
  }

 private:
  std::map<std::string, std::unique_ptr<Subscription>, std::less<>> by_id_;
  std::unordered_map<node::ConsumerNumber, Subscription*> by_number_;
  node::ConsumerNumber last_number_ = node::no_consumer;
};

}  // namespace weir::stomp
