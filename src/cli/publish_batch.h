// What it is: ready-made frames of messages, of which only the stamps change: publishing costs a few stores per
// message, and no copying as long as a producer stays with one lane.
//
// Small messages lie whole, one after the other, and leave as one piece. Of large ones only the head (up to the beginning
// of the body) is per message; the rest of the body is shared by all.
// Shard: the producer's thread. Lifetime: pieces() are valid until the next add() or clear().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "cli/message_stamp.h"

namespace weir::cli {

// How the number of a message is written into it, for protocols whose confirms name the message.
enum class NumberField : std::uint8_t {
  none,
  decimal,    // number_digits of them
  packet_id,  // two bytes: see packet_id_of()
};
inline constexpr std::size_t number_digits = 12;

// 1 to 65,535 and again from 1.
inline std::uint16_t packet_id_of(std::uint64_t number) {
  return static_cast<std::uint16_t>((number - 1) % 65'535 + 1);
}

// The number of that packet which is not below `lowest`, of fewer than 65,535.
inline std::uint64_t number_of_packet(std::uint16_t packet_id, std::uint64_t lowest) {
  const std::uint64_t lowest_id = packet_id_of(lowest);
  return lowest + (packet_id + 65'535 - lowest_id) % 65'535;
}

// How a producer's messages look in its protocol.
struct PublishForm {
  std::size_t lanes = 1;
  // The whole message of a lane, its body included; for all lanes of one length.
  std::function<std::vector<std::byte>(std::size_t lane_index)> message;
  std::size_t body_at = 0;
  std::uint32_t body_bytes = 0;
  NumberField number = NumberField::none;
  std::size_t number_at = 0;  // before the body
};

// Text that compresses neither too well nor takes time to make.
std::vector<std::byte> make_body(std::uint32_t bytes);

class PublishBatch {
 public:
  PublishBatch(const PublishForm& form, std::size_t count_max);

  std::size_t room() const { return count_max_ - count_; }
  std::size_t count() const { return count_; }
  // `lane_index` is one of the form's; the stamp names the lane for the receiver. `number` counts from 1.
  void add(std::size_t lane_index, const MessageStamp& stamp, std::uint64_t number);
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
  std::size_t stamp_at_;  // in a head
  NumberField number_;
  std::size_t number_at_;                      // in a head
  std::vector<std::vector<std::byte>> heads_;  // per lane
  std::vector<std::byte> tail_;
  std::vector<std::byte> slots_;
  std::vector<std::size_t> slot_lane_;  // whose head lies in a slot
  std::size_t count_max_ = 0;
  std::size_t count_ = 0;
};

}  // namespace weir::cli
