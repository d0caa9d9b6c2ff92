#include "protocol/amqp091/content_assembly.h"

#include <cstring>

namespace weir::amqp091 {

namespace {
// What an idle channel keeps allocated for an address and properties.
constexpr std::size_t kept_capacity_max = 1'024;
}  // namespace

void ContentAssembly::begin(const BasicPublish& publish) {
  stage_ = Stage::header;
  attached_ = true;
  address_ = {publish.exchange, publish.routing_key, publish.mandatory};
}

Decoded<void> ContentAssembly::expect_method() const {
  switch (stage_) {
    case Stage::idle: return {};
    case Stage::header:
      return refuse(ReplyCode::unexpected_frame,
                    "expected content header for class 60, got non content header frame instead");
    case Stage::body: break;
  }
  return refuse(ReplyCode::unexpected_frame, "expected content body, got non content body frame instead");
}

Decoded<void> ContentAssembly::expect_header() const {
  switch (stage_) {
    case Stage::idle:
      return refuse(ReplyCode::unexpected_frame, "expected method frame, got non method frame instead");
    case Stage::header: return {};
    case Stage::body: break;
  }
  return refuse(ReplyCode::unexpected_frame, "expected content body, got non content body frame instead");
}

Decoded<void> ContentAssembly::expect_body(std::size_t bytes) const {
  switch (stage_) {
    case Stage::idle:
      return refuse(ReplyCode::unexpected_frame, "expected method frame, got non method frame instead");
    case Stage::header:
      return refuse(ReplyCode::unexpected_frame,
                    "expected content header for class 60, got non content header frame instead");
    case Stage::body: break;
  }
  if (bytes <= body_bytes_ - received_) return {};
  return refuse(ReplyCode::frame_error, "content body frame exceeds remaining content size");
}

void ContentAssembly::take_header(const ContentHeader& header) {
  stage_ = Stage::body;
  attached_ = true;
  properties_ = header.raw_properties;
  body_bytes_ = static_cast<std::size_t>(header.body_bytes);
  received_ = 0;
}

Decoded<void> ContentAssembly::take_body(Bytes payload, Chunk* chunk) {
  if (auto expected = expect_body(payload.size()); !expected) return expected;
  const bool same_chunk = pieces_.empty() || chunk == chunk_;
  if (!own_ && chunk != nullptr && same_chunk && pieces_.size() < pieces_max) [[likely]] {
    chunk_ = chunk;
    if (!payload.empty()) pieces_.push_back(payload);
    received_ += payload.size();
    return {};
  }
  move_body_to_own();
  take_body_part(payload);
  return {};
}

Decoded<void> ContentAssembly::begin_body_frame(std::size_t bytes) {
  if (auto expected = expect_body(bytes); !expected) return expected;
  move_body_to_own();
  return {};
}

Decoded<void> ContentAssembly::count_body_frame(std::size_t bytes) {
  if (auto expected = expect_body(bytes); !expected) return expected;
  received_ += bytes;
  return {};
}

void ContentAssembly::take_body_part(Bytes part) {
  if (part.empty()) return;
  std::memcpy(own_->data() + received_, part.data(), part.size());
  received_ += part.size();
}

void ContentAssembly::move_body_to_own() {
  if (own_) return;
  own_ = ChunkRef::adopt(Chunk::make(body_bytes_));
  std::byte* to = own_->data();
  for (const Bytes piece : pieces_) {
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  pieces_.assign(1, Bytes(own_->data(), body_bytes_));
  chunk_ = nullptr;
}

void ContentAssembly::keep_address() {
  if (!attached_) return;
  const Bytes properties = stage_ == Stage::body ? properties_ : Bytes();
  std::string kept;
  kept.reserve(address_.exchange.size() + address_.routing_key.size() + properties.size());
  kept.append(address_.exchange).append(address_.routing_key).append(as_text(properties));
  kept_ = std::move(kept);
  std::string_view rest = kept_;
  const auto take = [&rest](std::size_t bytes) {
    const std::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return taken;
  };
  address_.exchange = take(address_.exchange.size());
  address_.routing_key = take(address_.routing_key.size());
  properties_ = as_bytes(rest);
  attached_ = false;
}

void ContentAssembly::detach() {
  keep_address();
  if (stage_ == Stage::body && received_ > 0 && !passed_on_) move_body_to_own();
}

void ContentAssembly::reset() {
  stage_ = Stage::idle;
  attached_ = false;
  passed_on_ = false;
  body_bytes_ = 0;
  received_ = 0;
  pieces_.clear();
  chunk_ = nullptr;
  if (own_) own_.reset();
  if (kept_.capacity() > kept_capacity_max) kept_ = std::string();
}

}  // namespace weir::amqp091
