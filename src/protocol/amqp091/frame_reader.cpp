#include "protocol/amqp091/frame_reader.h"

#include <algorithm>

namespace weir::amqp091 {

namespace {

using Item = FrameReader::Item;
using Kind = FrameReader::Item::Kind;

// What an idle connection keeps allocated.
constexpr std::size_t kept_capacity_max = 512;

bool is_cut_body(Bytes input) {
  return input.size() >= frame_header_bytes && static_cast<FrameType>(input[0]) == FrameType::body;
}

}  // namespace

Item FrameReader::next(Bytes& input, std::uint32_t frame_max) {
  if (in_body_) return next_of_body(input);
  if (!kept_.empty() && !kept_given_) return complete_kept(input, frame_max);
  const DecodedFrame decoded = decode_frame(input, frame_max);
  switch (decoded.answer) {
    case DecodedFrame::Answer::frame:
      input = input.subspan(decoded.bytes);
      return {.kind = Kind::frame, .frame = decoded.frame};
    case DecodedFrame::Answer::error: return {.kind = Kind::error, .error = decoded.error};
    case DecodedFrame::Answer::need_more: break;
  }
  if (!is_cut_body(input)) return {};
  const Bytes header = input.first(frame_header_bytes);
  input = input.subspan(frame_header_bytes);
  return begin_body(header);
}

Item FrameReader::begin_body(Bytes header) {
  in_body_ = true;
  body_channel_ = load_be<std::uint16_t>(header.data() + 1);
  body_left_ = load_be<std::uint32_t>(header.data() + 3);
  return {.kind = Kind::body_begin, .frame = {FrameType::body, body_channel_, {}}, .body_bytes = body_left_};
}

Item FrameReader::next_of_body(Bytes& input) {
  if (input.empty()) return {};
  if (body_left_ > 0) {
    const Bytes part = input.first(std::min(body_left_, input.size()));
    input = input.subspan(part.size());
    body_left_ -= part.size();
    return {.kind = Kind::body_bytes, .frame = {FrameType::body, body_channel_, part}};
  }
  if (input[0] != frame_end) {
    return {.kind = Kind::error, .error = {ReplyCode::frame_error, "frame without its end octet"}};
  }
  input = input.subspan(1);
  in_body_ = false;
  return {.kind = Kind::body_end, .frame = {FrameType::body, body_channel_, {}}};
}

Item FrameReader::complete_kept(Bytes& input, std::uint32_t frame_max) {
  for (;;) {
    const DecodedFrame decoded = decode_frame(kept_, frame_max);
    if (decoded.answer == DecodedFrame::Answer::error) return {.kind = Kind::error, .error = decoded.error};
    if (decoded.answer == DecodedFrame::Answer::frame) {
      kept_given_ = true;
      return {.kind = Kind::frame, .frame = decoded.frame};
    }
    if (is_cut_body(kept_)) {
      const Item item = begin_body(kept_);
      kept_.clear();
      return item;
    }
    const std::size_t missing = decoded.bytes - kept_.size();
    const Bytes part = input.first(std::min(missing, input.size()));
    kept_.reserve(decoded.bytes);
    kept_.insert(kept_.end(), part.begin(), part.end());
    input = input.subspan(part.size());
    if (part.size() < missing) return {};
  }
}

void FrameReader::keep(Bytes rest) {
  if (kept_given_) {
    kept_.clear();
    kept_given_ = false;
  }
  if (kept_.empty() && kept_.capacity() > kept_capacity_max) kept_.shrink_to_fit();
  kept_.insert(kept_.end(), rest.begin(), rest.end());
}

}  // namespace weir::amqp091
