#include "cli/publish_batch.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "cli/amqp_client.h"
#include "protocol/amqp091/codec/content_frames.h"

namespace weir::cli {

namespace {

// Text that compresses neither too well nor takes time to make.
std::vector<std::byte> make_body(std::uint32_t bytes) {
  std::vector<std::byte> body(bytes);
  std::uint32_t state = 1;
  for (std::byte& b : body) {
    state = state * 1'664'525U + 1'013'904'223U;
    b = static_cast<std::byte>('a' + (state >> 24) % 26);
  }
  return body;
}

}  // namespace

PublishBatch::PublishBatch(const PublishFormat& format, const std::vector<std::string>& routing_keys,
                           std::size_t count_max)
    : size_bytes_(format.size_bytes) {
  using namespace amqp091;
  const std::vector<std::byte> body = make_body(size_bytes_);
  std::vector<std::byte> properties;
  append_properties(properties, {.delivery_mode = static_cast<std::uint8_t>(format.persistent ? 2 : 1)});
  for (const std::string& key : routing_keys) {
    std::vector<std::byte>& head = heads_.emplace_back();
    append_method_frame(
        head, client_channel,
        BasicPublish{.exchange = format.exchange, .routing_key = key, .mandatory = format.mandatory});
    const std::size_t content_at = head.size();
    append_content_frames(head, client_channel, properties, body, format.frame_max);
    stamp_at_ = content_at + content_header_frame_bytes(properties.size()) + frame_header_bytes;
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

void PublishBatch::add(std::size_t lane_index, const MessageStamp& stamp) {
  std::byte* const slot = slots_.data() + count_ * head_bytes_;
  if (slot_lane_[count_] != lane_index) {
    std::memcpy(slot, heads_[lane_index].data(), head_bytes_);
    slot_lane_[count_] = lane_index;
  }
  write_stamp(slot + stamp_at_, size_bytes_, stamp);
  ++count_;
}

}  // namespace weir::cli
