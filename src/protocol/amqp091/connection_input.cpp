#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "protocol/amqp091/connection.h"

namespace weir::amqp091 {

namespace {
// Clients get frame-max wrong by the 8 bytes around the payload: they are let off.
constexpr std::uint32_t frame_max_slack = frame_overhead_bytes;
}  // namespace

void Connection::take_frames(Bytes input, Chunk* chunk) {
  if (phase_ == Phase::header) take_protocol_header(input);
  bool all_taken = false;
  while (!deaf_ && phase_ < Phase::closed) {
    if (!waiting() && !all_taken) {
      const FrameReader::Item item = reader_.next(input, frame_max_ + frame_max_slack);
      all_taken = item.kind == FrameReader::Item::Kind::none;
      handle(item, chunk);
      continue;
    }
    // This may fail the connection, which ends the waiting.
    detach_contents();
    if (waiting()) return hold(input, chunk);
    if (all_taken) return reader_.keep(input);
  }
}

void Connection::take_protocol_header(Bytes& input) {
  if (phase_ != Phase::header || deaf_) return;
  const std::size_t count = std::min(input.size(), protocol_header_bytes - header_bytes_);
  std::memcpy(header_ + header_bytes_, input.data(), count);
  header_bytes_ = static_cast<std::uint8_t>(header_bytes_ + count);
  input = input.subspan(count);
  switch (decode_protocol_header({header_, header_bytes_})) {
    case ProtocolHeaderAnswer::accepted: return send_start();
    case ProtocolHeaderAnswer::need_more: return;
    case ProtocolHeaderAnswer::mismatch: return refuse_protocol();
  }
}

void Connection::handle(const FrameReader::Item& item, Chunk* chunk) {
  using Kind = FrameReader::Item::Kind;
  switch (item.kind) {
    case Kind::frame: return handle_frame(item.frame, chunk);
    case Kind::body_begin:
    case Kind::body_bytes:
    case Kind::body_end: return handle_body_part(item);
    case Kind::error: return lose_framing(item.error);
    case Kind::none: return;
  }
}

void Connection::handle_frame(const Frame& frame, Chunk* chunk) {
  if (phase_ != Phase::running || frame.channel == 0) [[unlikely]]
    return handle_outside_of_channels(frame);
  Channel* const channel = find_channel(frame.channel);
  if (channel == nullptr) [[unlikely]]
    return open_channel(frame);
  switch (frame.type) {
    case FrameType::method: return channel->on_method(frame.payload);
    case FrameType::header: return channel->on_content_header(frame.payload);
    case FrameType::body: return channel->on_body(frame.payload, chunk);
    case FrameType::heartbeat: return;
  }
}

void Connection::handle_body_part(const FrameReader::Item& item) {
  using Kind = FrameReader::Item::Kind;
  Channel* const channel = phase_ == Phase::running ? find_channel(item.frame.channel) : nullptr;
  if (channel == nullptr) {
    if (item.kind == Kind::body_begin) handle_frame(item.frame, nullptr);
    return;
  }
  if (item.kind == Kind::body_begin) return channel->on_body_begin(item.body_bytes);
  if (item.kind == Kind::body_bytes) return channel->on_body_part(item.frame.payload);
  channel->on_body_end();
}

// Channel 0, and everything before and after the running phase.
void Connection::handle_outside_of_channels(const Frame& frame) {
  if (frame.type == FrameType::heartbeat) return;
  if (frame.channel == 0 && frame.type == FrameType::method) return on_method0(frame.payload);
  if (phase_ >= Phase::closing) return;
  fail(ReplyCode::unexpected_frame,
       frame.channel == 0 ? "content frame on channel 0" : "frame on a channel before connection.open", {});
}

void Connection::open_channel(const Frame& frame) {
  if (frame.type != FrameType::method) {
    return fail(ReplyCode::unexpected_frame, "expected method frame, got non method frame instead", {});
  }
  const MethodId method = method_id_of(frame.payload);
  if (method != ChannelOpen::info.id)
    return fail(ReplyCode::channel_error, "expected 'channel.open'", method);
  const auto decoded = decode_as<ChannelOpen>(frame.payload);
  if (!decoded) return fail(decoded.error().code, decoded.error().text, method);
  if (channels_.size() >= channel_max_) {
    return fail(ReplyCode::not_allowed,
                fmt::format("number of channels opened ({}) has reached the negotiated channel_max ({})",
                            channels_.size(), channel_max_),
                method);
  }
  if (const Status opened = session_->open_channel(frame.channel); !opened)
    return fail(ReplyCode::not_allowed, opened.error().message, method);
  const node::PublisherNumber publisher = node::PublisherNumber{++channel_generation_} << 16 | frame.channel;
  channels_.emplace(frame.channel, std::make_unique<Channel>(*this, frame.channel, publisher));
  send(frame.channel, ChannelOpenOk{});
}

Channel* Connection::find_channel(std::uint16_t number) {
  if (last_channel_ != nullptr && last_channel_->number() == number) [[likely]]
    return last_channel_;
  const auto found = channels_.find(number);
  if (found == channels_.end()) return nullptr;
  last_channel_ = found->second.get();
  return last_channel_;
}

void Connection::forget(Channel& channel) {
  channel.close_down();
  count_messages(channel);
  if (last_channel_ == &channel) last_channel_ = nullptr;
  const std::uint16_t number = channel.number();
  const auto found = channels_.find(number);
  forgotten_.push_back(std::move(found->second));
  channels_.erase(found);
  session_->close_channel(number);
  ask_turn_end();
}

void Connection::content_ended(Channel& channel) {
  if (!unfinished_.empty() && unfinished_.back() == &channel) [[likely]]
    return unfinished_.pop_back();
  std::erase(unfinished_, &channel);
}

// The read that messages have begun in ends.
void Connection::detach_contents() {
  if (unfinished_.empty()) return;
  std::size_t announced = 0;
  for (const Channel* channel : unfinished_) announced += channel->announced_bytes();
  if (announced > std::max(unfinished_bodies_bytes_max, settings_.max_message_bytes)) {
    return fail(ReplyCode::resource_error, "too many large messages begun at once", BasicPublish::info.id);
  }
  std::size_t buffered = 0;
  for (Channel* channel : unfinished_) {
    channel->detach_content();
    buffered += channel->buffered_bytes();
  }
  while (buffered > piece_buffers_bytes_max) {
    Channel* const largest = *std::max_element(
        unfinished_.begin(), unfinished_.end(),
        [](const Channel* a, const Channel* b) { return a->buffered_bytes() < b->buffered_bytes(); });
    buffered -= largest->buffered_bytes();
    largest->give_up_buffer();
  }
}

}  // namespace weir::amqp091
