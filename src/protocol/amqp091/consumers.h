// What it is: the consumers of a connection, by the number that the broker knows them by. A number tells its slot and how
// often the slot was used before, so that what is still said of a consumer that went is never taken for another's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/session.h"

namespace weir::amqp091 {

class Channel;

struct Consumer {
  Channel* channel = nullptr;
  node::ConsumerNumber number = node::no_consumer;
  std::string tag;
  bool no_ack = false;
};

class Consumers {
 public:
  std::size_t size() const { return count_; }

  // At most 65,535 at a time: the caller has the limit.
  Consumer& add(Channel& channel, std::string tag, bool no_ack) {
    if (free_.empty()) {
      slots_.emplace_back();
      free_.push_back(static_cast<std::uint16_t>(slots_.size()));
    }
    const std::uint16_t slot = free_.back();
    free_.pop_back();
    ++count_;
    Slot& place = slots_[slot - 1U];
    const node::ConsumerNumber number = node::ConsumerNumber{place.uses++} << slot_bits | slot;
    place.consumer = std::make_unique<Consumer>(Consumer{&channel, number, std::move(tag), no_ack});
    return *place.consumer;
  }

  // Null: there is none.
  Consumer* find(node::ConsumerNumber number) const {
    const std::uint32_t slot = number & slot_mask;
    if (slot == 0 || slot > slots_.size()) return nullptr;
    Consumer* const found = slots_[slot - 1].consumer.get();
    return found != nullptr && found->number == number ? found : nullptr;
  }

  void remove(const Consumer& consumer) {
    const auto slot = static_cast<std::uint16_t>(consumer.number & slot_mask);
    slots_[slot - 1U].consumer.reset();
    free_.push_back(slot);
    --count_;
  }

 private:
  static constexpr unsigned slot_bits = 16;  // slots count from 1
  static constexpr std::uint32_t slot_mask = (1U << slot_bits) - 1;
  struct Slot {
    std::unique_ptr<Consumer> consumer;
    std::uint16_t uses = 0;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint16_t> free_;
  std::size_t count_ = 0;
};

}  // namespace weir::amqp091
