// What it is: ready-made frames of messages, of which only the stamps change: publishing costs a few stores per
// message, and no copying as long as a producer stays with one lane.
//
// Small messages lie whole, one after the other, and leave as one piece. Of large ones only the head (publish, content
// header, beginning of the body) is per message; the rest of the body is shared by all.
// Shard: the producer's thread. Lifetime: pieces() are valid until the next add() or clear().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "cli/message_stamp.h"

namespace weir::cli {

struct PublishFormat {
  std::string exchange{};
  bool mandatory = false;
  bool persistent = true;
  std::uint32_t size_bytes = 0;
  std::uint32_t frame_max = 0;
};

class PublishBatch {
 public:
  // The lanes' routing keys are all of one length: asserted.
  PublishBatch(const PublishFormat& format, const std::vector<std::string>& routing_keys,
               std::size_t count_max);

  std::size_t room() const { return count_max_ - count_; }
  std::size_t count() const { return count_; }
  // `lane_index` is a position in routing_keys; the stamp names the lane for the receiver.
  void add(std::size_t lane_index, const MessageStamp& stamp);
  void clear() { count_ = 0; }

  // Calls each(Bytes) for what is to be written.
  template <typename Each>
  void pieces(Each&& each) const {
    if (tail_.empty()) return each(Bytes(slots_.data(), count_ * head_bytes_));
    for (std::size_t i = 0; i < count_; ++i) {
      each(Bytes(slots_.data() + i * head_bytes_, head_bytes_));
      each(Bytes(tail_));
    }
  }

 private:
  static constexpr std::size_t whole_bytes_max = 4096;  // bodies up to this are small
  static constexpr std::size_t small_batch_bytes = 256U << 10;
  static constexpr std::size_t large_batch_bytes = 1U << 20;
  static constexpr std::size_t large_batch_count = 64;

  std::uint32_t size_bytes_;
  std::size_t head_bytes_ = 0;
  std::size_t stamp_at_ = 0;                   // in a head
  std::vector<std::vector<std::byte>> heads_;  // per lane
  std::vector<std::byte> tail_;
  std::vector<std::byte> slots_;
  std::vector<std::size_t> slot_lane_;  // whose head lies in a slot
  std::size_t count_max_ = 0;
  std::size_t count_ = 0;
};

}  // namespace weir::cli
