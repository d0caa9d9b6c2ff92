// What it is: of the messages of a queue that keeps the last value of each key, which is the newest. A key is known while
// a message of it is there, in whatever state: one that comes back must know that a newer one was there.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/ids.h"

namespace weir::broker {

class LastValues {
 public:
  // It is there from now on. Returns the one that is not the newest any more, or never was.
  std::optional<Seq> add(std::uint64_t key, Seq seq) {
    const auto [at, made] = values_.try_emplace(key, Value{seq, 0});
    ++at->second.there;
    if (made) return std::nullopt;
    if (seq < at->second.newest) return seq;
    const Seq before = at->second.newest;
    at->second.newest = seq;
    return before;
  }
  bool is_newest(std::uint64_t key, Seq seq) const {
    const auto at = values_.find(key);
    return at != values_.end() && at->second.newest == seq;
  }
  // One that was added has gone.
  void remove(std::uint64_t key) {
    const auto at = values_.find(key);
    if (at != values_.end() && --at->second.there == 0) values_.erase(at);
  }
  std::size_t keys() const { return values_.size(); }

 private:
  struct Value {
    Seq newest;
    std::uint32_t there = 0;
  };
  std::unordered_map<std::uint64_t, Value> values_;
};

}  // namespace weir::broker
