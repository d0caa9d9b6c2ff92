#include "protocol/http/codec/web_socket_frame.h"

#include <algorithm>
#include <cstring>

namespace weir::http {
namespace {

constexpr unsigned final_bit = 0x80, reserved_bits = 0x70, mask_bit = 0x80;
constexpr unsigned length_16 = 126, length_64 = 127;

bool is_control(WebSocketOpcode opcode) { return static_cast<unsigned>(opcode) >= 8; }

// RFC 6455 7.4 and the registry: those that may be in a frame.
bool is_close_code(std::uint16_t code) {
  if (code >= 3000) return code < 5000;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

}  // namespace

std::size_t WebSocketReader::head_bytes_wanted() const {
  if (head_bytes_ < 2) return 2;
  const unsigned length = static_cast<unsigned>(head_[1]) & ~mask_bit;
  return length == length_64 ? 14 : length == length_16 ? 8 : 6;
}

WebSocketReader::Step WebSocketReader::take(MutableBytes bytes) {
  Step step;
  while (step.used < bytes.size()) {
    if (!in_payload_) {
      head_[head_bytes_++] = bytes[step.used++];
      if (head_bytes_ < head_bytes_wanted()) {
        // What can be refused is, before more is waited for.
        if (head_bytes_ == 2 && !check_opcode()) step.event = Event::fault;
        if (step.event == Event::fault) return step;
        continue;
      }
      if (!take_head()) {
        step.event = Event::fault;
        return step;
      }
    }
    const std::size_t count =
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - step.used));
    const MutableBytes part = bytes.subspan(step.used, count);
    unmask(part);
    step.used += count;
    left_ -= count;
    if (is_control(opcode_)) {
      std::copy(part.begin(), part.end(), control_.begin() + control_bytes_);
      control_bytes_ = static_cast<std::uint8_t>(control_bytes_ + count);
    } else if (count > 0) {
      if (text_ && !utf8_.take(part)) {
        fault(close_code::invalid_payload, "a text message has to be UTF-8");
        step.event = Event::fault;
        return step;
      }
      std::memmove(bytes.data() + step.payload, part.data(), count);
      step.payload += count;
    }
    if (left_ > 0) continue;
    step.event = end_frame();
    if (step.event != Event::none) return step;
  }
  return step;
}

// The first two bytes.
bool WebSocketReader::check_opcode() {
  const auto first = static_cast<unsigned>(head_[0]), second = static_cast<unsigned>(head_[1]);
  const unsigned opcode = first & 0x0F;
  if ((first & reserved_bits) != 0)
    return fault(close_code::protocol_error, "reserved bits are set and no extension was agreed on");
  if (opcode > 10 || (opcode > 2 && opcode < 8)) return fault(close_code::protocol_error, "unknown opcode");
  if ((second & mask_bit) == 0)
    return fault(close_code::protocol_error, "frames of clients have to be masked");
  opcode_ = static_cast<WebSocketOpcode>(opcode);
  final_ = (first & final_bit) != 0;
  if (is_control(opcode_)) {
    if (!final_) return fault(close_code::protocol_error, "a control frame is not fragmented");
    if ((second & ~mask_bit) > control_payload_bytes_max)
      return fault(close_code::protocol_error, "a control frame has at most 125 bytes");
    return true;
  }
  if ((opcode_ == WebSocketOpcode::continuation) != message_open_) {
    return fault(close_code::protocol_error, message_open_ ? "a message begins inside of another"
                                                           : "there is no message to be continued");
  }
  if (opcode_ == WebSocketOpcode::text && !takes_text_)
    return fault(close_code::unsupported_data, "messages have to be binary");
  return true;
}

bool WebSocketReader::take_head() {
  const unsigned length = static_cast<unsigned>(head_[1]) & ~mask_bit;
  std::size_t at = 2;
  left_ = length;
  if (length == length_16) {
    left_ = load_be<std::uint16_t>(head_.data() + at);
    at += 2;
    if (left_ < length_16) return fault(close_code::protocol_error, "a length is not in its shortest form");
  } else if (length == length_64) {
    left_ = load_be<std::uint64_t>(head_.data() + at);
    at += 8;
    if (left_ <= 0xFFFF) return fault(close_code::protocol_error, "a length is not in its shortest form");
    if (left_ >> 63 != 0) return fault(close_code::protocol_error, "a length has its first bit set");
  }
  std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(at), mask_.size(), mask_.begin());
  head_bytes_ = 0;
  in_payload_ = true;
  control_bytes_ = 0;
  if (opcode_ == WebSocketOpcode::text || opcode_ == WebSocketOpcode::binary) {
    text_ = opcode_ == WebSocketOpcode::text;
    message_open_ = true;
    utf8_ = {};
  }
  return true;
}

WebSocketReader::Event WebSocketReader::end_frame() {
  in_payload_ = false;
  switch (opcode_) {
    case WebSocketOpcode::ping: return Event::ping;
    case WebSocketOpcode::pong: return Event::pong;
    case WebSocketOpcode::close: return end_close();
    default: break;
  }
  if (!final_) return Event::none;
  message_open_ = false;
  if (!text_ || utf8_.whole()) return Event::none;
  fault(close_code::invalid_payload, "a text message has to be UTF-8");
  return Event::fault;
}

WebSocketReader::Event WebSocketReader::end_close() {
  const Bytes payload = control_payload();
  if (payload.empty()) {
    code_ = close_code::none_came;
    reason_.clear();
    return Event::close;
  }
  const std::uint16_t code = payload.size() < 2 ? std::uint16_t{0} : load_be<std::uint16_t>(payload.data());
  if (!is_close_code(code)) {
    fault(close_code::protocol_error, "no code to close with");
    return Event::fault;
  }
  const std::string_view reason = as_text(payload.subspan(2));
  if (!valid_utf8(reason)) {
    fault(close_code::invalid_payload, "the reason to close has to be UTF-8");
    return Event::fault;
  }
  code_ = code;
  reason_ = reason;
  return Event::close;
}

void WebSocketReader::unmask(MutableBytes bytes) {
  std::array<std::byte, 8> twice;
  for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = mask_[i % mask_.size()];
  std::uint64_t wide = 0;
  std::memcpy(&wide, twice.data(), sizeof wide);
  std::size_t at = 0;
  for (; at + sizeof wide <= bytes.size(); at += sizeof wide) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    word ^= wide;
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  for (std::size_t i = 0; at + i < bytes.size(); ++i) bytes[at + i] ^= twice[i];
  std::rotate(mask_.begin(), mask_.begin() + static_cast<std::ptrdiff_t>(bytes.size() % mask_.size()),
              mask_.end());
}

bool WebSocketReader::fault(std::uint16_t code, std::string_view reason) {
  code_ = code;
  reason_ = reason;
  return false;
}

void append_frame_head(std::string& out, WebSocketOpcode opcode, std::uint64_t payload_bytes) {
  out += static_cast<char>(final_bit | static_cast<unsigned>(opcode));
  unsigned bytes = 0;
  if (payload_bytes < length_16) {
    out += static_cast<char>(payload_bytes);
  } else if (payload_bytes <= 0xFFFF) {
    out += static_cast<char>(length_16);
    bytes = 2;
  } else {
    out += static_cast<char>(length_64);
    bytes = 8;
  }
  while (bytes-- > 0) out += static_cast<char>(payload_bytes >> (8 * bytes) & 0xFF);
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
  if (code == close_code::none_came) return append_frame_head(out, WebSocketOpcode::close, 0);
  std::size_t bytes = std::min(reason.size(), control_payload_bytes_max - 2);
  while (bytes > 0 && bytes < reason.size() && (static_cast<unsigned char>(reason[bytes]) & 0xC0U) == 0x80)
    --bytes;
  append_frame_head(out, WebSocketOpcode::close, 2 + bytes);
  out += static_cast<char>(code >> 8);
  out += static_cast<char>(code & 0xFF);
  out += reason.substr(0, bytes);
}

}  // namespace weir::http
