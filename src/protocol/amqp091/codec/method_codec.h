// What it is: encoding and decoding of one known method, derived from its description (method.h). For the
// method of a frame that could be any, see methods.h. Nothing here allocates; decode_as and
// write_method_frame are the fast paths for basic.publish, deliver, ack and the like.
//
// Errors: 501 for arguments that end too early or too late and for short strings that are not UTF-8; 502 for
// a field table that does not hold.
#pragma once

#include <concepts>
#include <cstring>
#include <vector>

#include "base/assert.h"
#include "base/cursor.h"
#include "base/utf8.h"
#include "protocol/amqp091/codec/decoded.h"
#include "protocol/amqp091/codec/field_view.h"
#include "protocol/amqp091/codec/frame.h"
#include "protocol/amqp091/codec/method.h"

namespace weir::amqp091 {

template <typename M>
concept AnyMethod = std::same_as<std::remove_cvref_t<decltype(M::info)>, MethodInfo>;

inline constexpr std::size_t method_id_bytes = 4;

namespace detail {

class ArgumentReader {
 public:
  explicit ArgumentReader(Bytes bytes) : reader_(bytes) {}

  void operator()(auto&... arguments) { (read(arguments), ...); }

  template <AnyMethod M>
  Decoded<M> finish(const M& method) const {
    if (!reader_.ok() || !reader_.at_end()) [[unlikely]] {
      return refuse(ReplyCode::frame_error, "method arguments of the wrong length");
    }
    if (!text_ok_) [[unlikely]]
      return refuse(ReplyCode::frame_error, "short string is not UTF-8");
    if (!table_) [[unlikely]]
      return std::unexpected(table_.error());
    return method;
  }

 private:
  template <std::unsigned_integral T>
  void read(T& value) {
    bits_left_ = 0;
    value = reader_.be<T>();
  }
  void read(bool& value) {
    if (bits_left_ == 0) {
      octet_ = reader_.u8();
      bits_left_ = 8;
    }
    value = (octet_ & 1U) != 0;
    octet_ >>= 1;
    --bits_left_;
  }
  void read(std::string_view& value) {
    bits_left_ = 0;
    value = reader_.text8();
    text_ok_ = text_ok_ && valid_utf8(value);
  }
  void read(LongString& value) {
    bits_left_ = 0;
    value.value = as_text(reader_.bytes32_be());
  }
  void read(TableBytes& value) {
    bits_left_ = 0;
    value.content = reader_.bytes32_be();
    table_ = validate_table(value.content);
  }

  Reader reader_;
  unsigned octet_ = 0;
  unsigned bits_left_ = 0;
  bool text_ok_ = true;
  Decoded<void> table_;
};

class ArgumentSizer {
 public:
  constexpr void operator()(const auto&... arguments) { (add(arguments), ...); }
  constexpr std::size_t bytes() const { return bytes_; }

 private:
  template <std::unsigned_integral T>
  constexpr void add(T) {
    bits_left_ = 0;
    bytes_ += sizeof(T);
  }
  constexpr void add(bool) {
    if (bits_left_ == 0) {
      ++bytes_;
      bits_left_ = 8;
    }
    --bits_left_;
  }
  constexpr void add(std::string_view value) {
    WEIR_ASSERT(value.size() <= short_string_bytes_max);
    bits_left_ = 0;
    bytes_ += 1 + value.size();
  }
  constexpr void add(const LongString& value) {
    bits_left_ = 0;
    bytes_ += 4 + value.value.size();
  }
  constexpr void add(const TableBytes& value) {
    bits_left_ = 0;
    bytes_ += 4 + value.content.size();
  }

  std::size_t bytes_ = 0;
  unsigned bits_left_ = 0;
};

class ArgumentWriter {
 public:
  explicit ArgumentWriter(std::byte* to) : at_(to) {}

  void operator()(const auto&... arguments) {
    (write(arguments), ...);
    flush_bits();
  }
  std::byte* position() const { return at_; }

 private:
  template <std::unsigned_integral T>
  void write(T value) {
    flush_bits();
    store_be(at_, value);
    at_ += sizeof value;
  }
  void write(bool value) {
    if (bits_ == 8) flush_bits();
    octet_ |= static_cast<unsigned>(value) << bits_++;
  }
  void write(std::string_view value) {
    write(static_cast<std::uint8_t>(value.size()));
    put(as_bytes(value));
  }
  void write(const LongString& value) {
    write(static_cast<std::uint32_t>(value.value.size()));
    put(as_bytes(value.value));
  }
  void write(const TableBytes& value) {
    write(static_cast<std::uint32_t>(value.content.size()));
    put(value.content);
  }
  void put(Bytes bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void flush_bits() {
    if (bits_ == 0) return;
    *at_++ = static_cast<std::byte>(octet_);
    octet_ = 0;
    bits_ = 0;
  }

  std::byte* at_;
  unsigned octet_ = 0;
  unsigned bits_ = 0;
};

}  // namespace detail

// Which method a payload holds; {0, 0}, which is none, when the payload is too short to say.
inline MethodId method_id_of(Bytes payload) {
  if (payload.size() < method_id_bytes) [[unlikely]]
    return {};
  return {load_be<std::uint16_t>(payload.data()), load_be<std::uint16_t>(payload.data() + 2)};
}

// Decodes a method frame's payload, of which the caller knows by method_id_of that it holds an M.
template <AnyMethod M>
Decoded<M> decode_as(Bytes payload) {
  WEIR_ASSERT(method_id_of(payload) == M::info.id);
  M method;
  detail::ArgumentReader reader(payload.subspan(method_id_bytes));
  M::fields(method, reader);
  return reader.finish(method);
}

// Ids and arguments: what the payload of the method's frame measures. Short strings are at most 255 bytes:
// asserted.
template <AnyMethod M>
constexpr std::size_t method_payload_bytes(const M& method) {
  detail::ArgumentSizer sizer;
  M::fields(method, sizer);
  return method_id_bytes + sizer.bytes();
}

// The exact size of what write_method_frame writes.
template <AnyMethod M>
constexpr std::size_t method_frame_bytes(const M& method) {
  return frame_overhead_bytes + method_payload_bytes(method);
}

// Writes the frame at `to` and returns the byte after it. `frame_bytes` is method_frame_bytes(method), which
// most callers have at hand.
template <AnyMethod M>
std::byte* write_method_frame(std::byte* to, std::uint16_t channel, const M& method,
                              std::size_t frame_bytes) {
  to = write_frame_header(to, FrameType::method, channel,
                          static_cast<std::uint32_t>(frame_bytes - frame_overhead_bytes));
  store_be(to, M::info.id.value());
  detail::ArgumentWriter writer(to + method_id_bytes);
  M::fields(method, writer);
  return write_frame_end(writer.position());
}
template <AnyMethod M>
std::byte* write_method_frame(std::byte* to, std::uint16_t channel, const M& method) {
  return write_method_frame(to, channel, method, method_frame_bytes(method));
}

// Appends the method's frame. Whether it fits the tuned frame-max is the caller's to know.
template <AnyMethod M>
void append_method_frame(std::vector<std::byte>& out, std::uint16_t channel, const M& method) {
  const std::size_t at = out.size();
  const std::size_t frame_bytes = method_frame_bytes(method);
  out.resize(at + frame_bytes);
  write_method_frame(out.data() + at, channel, method, frame_bytes);
}

}  // namespace weir::amqp091
