// What it is: the frames of WebSocket (RFC 6455) as a server sees them: the bytes of messages out of a client's masked
// frames, in place and without regard to where messages end; and the heads of frames to a client.
// Errors: a fault is the code and the words for the close frame; the stream is of no use any more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/utf8.h"

namespace weir::http {

enum class WebSocketOpcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

// Of close frames (RFC 6455 7.4.1).
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t unsupported_data = 1003;
inline constexpr std::uint16_t none_came = 1005;  // never in a frame
inline constexpr std::uint16_t invalid_payload = 1007;
}  // namespace close_code

inline constexpr std::size_t control_payload_bytes_max = 125;

class WebSocketReader {
 public:
  enum class Event : std::uint8_t { none, ping, pong, close, fault };
  struct Step {
    std::size_t used = 0;     // of the bytes that were given
    std::size_t payload = 0;  // bytes of messages, now at the beginning of what was given
    Event event = Event::none;
  };

  explicit WebSocketReader(bool takes_text) : takes_text_(takes_text) {}

  // Goes on to the end of `bytes`, or to the end of a control frame or a fault before.
  Step take(MutableBytes bytes);

  // What the last ping carries.
  Bytes control_payload() const { return Bytes(control_).first(control_bytes_); }
  // Of the client's close frame, or what the fault is told with.
  std::uint16_t code() const { return code_; }
  std::string_view reason() const { return reason_; }
  // Text: the last message, or part of one, that came is text.
  bool text() const { return text_; }

 private:
  std::size_t head_bytes_wanted() const;
  bool take_head();
  bool check_opcode();
  Event end_frame();
  Event end_close();
  void unmask(MutableBytes bytes);
  bool fault(std::uint16_t code, std::string_view reason);

  const bool takes_text_;
  std::array<std::byte, 14> head_{};
  std::uint8_t head_bytes_ = 0;
  bool in_payload_ = false, final_ = false, text_ = false, message_open_ = false;
  WebSocketOpcode opcode_ = WebSocketOpcode::continuation;
  std::uint64_t left_ = 0;           // of the frame's payload
  std::array<std::byte, 4> mask_{};  // turned: its first byte is for the next byte of payload
  Utf8Check utf8_;                   // of a text message
  std::array<std::byte, control_payload_bytes_max> control_{};
  std::uint8_t control_bytes_ = 0;
  std::uint16_t code_ = 0;
  std::string reason_;
};

// A frame's head, not masked, as servers send them; of a whole message.
void append_frame_head(std::string& out, WebSocketOpcode opcode, std::uint64_t payload_bytes);
// Code 1005 makes one without a code; a reason that is too long is cut.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

}  // namespace weir::http
