// What it is: the attributes of a chunk of a queue's index, a column for each, made when the first message has one: a queue
// pays for what its messages use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "broker/alarms.h"
#include "broker/attributes.h"

namespace weir::broker {

inline constexpr std::size_t chunk_entries = 512;

class IndexColumns {
 public:
  // The message at `at`; what it had before is forgotten.
  void set(std::size_t at, const MessageAttributes& attributes);
  MessageAttributes get(std::size_t at) const;
  void clear(std::size_t at) { set(at, {}); }

  std::uint64_t expires_ms(std::size_t at) const { return expires_ == nullptr ? 0 : expires_->get(at); }
  std::uint64_t deliver_ms(std::size_t at) const { return deliver_ == nullptr ? 0 : deliver_->get(at); }
  std::uint64_t group(std::size_t at) const { return group_ == nullptr ? 0 : (*group_)[at]; }
  std::uint32_t body_bytes(std::size_t at) const { return bytes_ == nullptr ? 0 : (*bytes_)[at]; }
  std::uint16_t returns(std::size_t at) const { return returns_ == nullptr ? 0 : (*returns_)[at]; }
  std::uint8_t priority(std::size_t at) const { return priority_ == nullptr ? 0 : (*priority_)[at]; }
  std::uint8_t leaving(std::size_t at) const { return leaving_ == nullptr ? 0 : (*leaving_)[at]; }
  std::uint64_t pieces_end(std::size_t at) const { return pieces_ == nullptr ? 0 : (*pieces_)[at]; }
  void set_returns(std::size_t at, std::uint16_t returns) { put(returns_, at, returns); }
  void set_leaving(std::size_t at, std::uint8_t reason) { put(leaving_, at, reason); }
  void set_deliver(std::size_t at, std::uint64_t unix_ms) { put(deliver_, at, unix_ms); }
  bool timed() const { return expires_ != nullptr || deliver_ != nullptr; }

  Alarm alarm;  // for the first message of the chunk that is due

 private:
  template <typename T>
  using Column = std::unique_ptr<std::array<T, chunk_entries>>;
  // Times in 5 bytes.
  class Times {
   public:
    std::uint64_t get(std::size_t at) const { return expand_time(low_[at] | std::uint64_t{high_[at]} << 32); }
    void set(std::size_t at, std::uint64_t unix_ms) {
      const std::uint64_t compact = compact_time(unix_ms);
      low_[at] = static_cast<std::uint32_t>(compact);
      high_[at] = static_cast<std::uint8_t>(compact >> 32);
    }

   private:
    std::uint32_t low_[chunk_entries] = {};
    std::uint8_t high_[chunk_entries] = {};
  };

  template <typename T>
  static void put(Column<T>& column, std::size_t at, T value) {
    if (column == nullptr) {
      if (value == 0) return;
      column = std::make_unique<std::array<T, chunk_entries>>();
    }
    (*column)[at] = value;
  }
  static void put(std::unique_ptr<Times>& column, std::size_t at, std::uint64_t unix_ms) {
    if (column == nullptr) {
      if (unix_ms == 0) return;
      column = std::make_unique<Times>();
    }
    column->set(at, unix_ms);
  }

  std::unique_ptr<Times> expires_, deliver_;
  Column<std::uint64_t> group_, pieces_;
  Column<std::uint32_t> bytes_;
  Column<std::uint16_t> returns_;
  Column<std::uint8_t> priority_, leaving_;
};

inline void IndexColumns::set(std::size_t at, const MessageAttributes& attributes) {
  put(expires_, at, attributes.expires_ms);
  put(deliver_, at, attributes.deliver_ms);
  put(group_, at, attributes.group);
  put(bytes_, at, attributes.body_bytes);
  put(returns_, at, attributes.returns);
  put(priority_, at, attributes.priority);
  put(leaving_, at, attributes.leaving);
  put(pieces_, at, attributes.pieces_end);
}

inline MessageAttributes IndexColumns::get(std::size_t at) const {
  return {.expires_ms = expires_ms(at),
          .deliver_ms = deliver_ms(at),
          .group = group(at),
          .pieces_end = pieces_end(at),
          .body_bytes = body_bytes(at),
          .returns = returns(at),
          .priority = priority(at),
          .leaving = leaving(at)};
}

}  // namespace weir::broker
