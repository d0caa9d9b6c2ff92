#include "cli/publish_batch.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace weir::cli {

namespace {

void write_number(std::byte* slot, NumberField field, std::uint64_t number) {
  if (field == NumberField::packet_id) return store_be(slot, packet_id_of(number));
  for (std::size_t i = number_digits; i > 0; --i) {
    slot[i - 1] = static_cast<std::byte>('0' + number % 10);
    number /= 10;
  }
}

}  // namespace

std::vector<std::byte> make_body(std::uint32_t bytes) {
  std::vector<std::byte> body(bytes);
  std::uint32_t state = 1;
  for (std::byte& b : body) {
    state = state * 1'664'525U + 1'013'904'223U;
    b = static_cast<std::byte>('a' + (state >> 24) % 26);
  }
  return body;
}

PublishBatch::PublishBatch(const PublishForm& form, std::size_t count_max)
    : size_bytes_(form.body_bytes),
      stamp_at_(form.body_at),
      number_(form.number),
      number_at_(form.number_at) {
  for (std::size_t lane = 0; lane < form.lanes; ++lane) {
    std::vector<std::byte>& head = heads_.emplace_back(form.message(lane));
    if (size_bytes_ > whole_bytes_max) {
      const std::size_t cut = stamp_at_ + stamp_bytes;
      tail_.assign(head.begin() + static_cast<std::ptrdiff_t>(cut), head.end());
      head.resize(cut);
    }
    WEIR_ASSERT(head.size() == heads_.front().size());
  }
  head_bytes_ = heads_.front().size();
  const std::size_t batch_bytes = tail_.empty() ? small_batch_bytes : large_batch_bytes;
  count_max_ = std::clamp<std::size_t>(batch_bytes / (head_bytes_ + tail_.size()), 1, count_max);
  if (!tail_.empty()) count_max_ = std::min(count_max_, large_batch_count);
  slots_.resize(count_max_ * head_bytes_);
  slot_lane_.assign(count_max_, SIZE_MAX);
}

void PublishBatch::add(std::size_t lane_index, const MessageStamp& stamp, std::uint64_t number) {
  std::byte* const slot = slots_.data() + count_ * head_bytes_;
  if (slot_lane_[count_] != lane_index) {
    std::memcpy(slot, heads_[lane_index].data(), head_bytes_);
    slot_lane_[count_] = lane_index;
  }
  if (number_ != NumberField::none) write_number(slot + number_at_, number_, number);
  write_stamp(slot + stamp_at_, size_bytes_, stamp);
  ++count_;
}

}  // namespace weir::cli
