// What it is: a message on its way in, from basic.publish to its last body frame. As long as all of it lies in one read it
// is only referred to; what goes beyond is copied into a chunk of the message's own, once. A large
// body is not kept here: it is passed on as it comes.
// Errors: 501 and 505 for frames that are out of order or hold more than was announced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/chunk.h"
#include "protocol/amqp091/codec/basic_methods.h"
#include "protocol/amqp091/codec/content.h"
#include "protocol/amqp091/codec/decoded.h"

namespace weir::amqp091 {

class ContentAssembly {
 public:
  // Views; valid until the next begin().
  struct Address {
    std::string_view exchange{};
    std::string_view routing_key{};
    bool mandatory = false;
  };

  // Between messages: a method frame may come.
  bool idle() const { return stage_ == Stage::idle; }
  bool complete() const { return stage_ == Stage::body && received_ == body_bytes_; }

  void begin(const BasicPublish& publish);
  Decoded<void> expect_method() const;
  // Whether a header may come now.
  Decoded<void> expect_header() const;
  // It was expected, and its body is not larger than the caller allows.
  void take_header(const ContentHeader& header);
  // After the header: the body is only counted here, whoever takes it.
  void pass_body_on() {
    passed_on_ = true;
    keep_address();
  }
  bool body_is_passed_on() const { return passed_on_; }
  // Of a body that is passed on: a frame, before its bytes.
  Decoded<void> count_body_frame(std::size_t bytes);
  Decoded<void> take_body(Bytes payload, Chunk* chunk);
  // A body frame in parts: its size first.
  Decoded<void> begin_body_frame(std::size_t bytes);
  void take_body_part(Bytes part);
  // Copies what it refers to: the bytes are about to go.
  void detach();
  // Ends the message, complete or not.
  void reset();

  const Address& address() const { return address_; }
  Bytes raw_properties() const { return properties_; }
  std::size_t body_bytes() const { return body_bytes_; }
  // Of it, in memory here when it has come.
  std::size_t kept_bytes() const { return passed_on_ ? 0 : body_bytes_; }
  std::span<const Bytes> body() const { return pieces_; }
  Chunk* chunk() const { return own_ ? own_.get() : chunk_; }

 private:
  enum class Stage : std::uint8_t { idle, header, body };
  Decoded<void> expect_body(std::size_t bytes) const;
  void move_body_to_own();
  void keep_address();

  // More pieces than this are copied together.
  static constexpr std::size_t pieces_max = 64;

  Stage stage_ = Stage::idle;
  bool passed_on_ = false;
  bool attached_ = false;  // address_ and properties_ lie in the current read
  Address address_;
  Bytes properties_{};
  std::size_t body_bytes_ = 0;  // announced
  std::size_t received_ = 0;
  std::vector<Bytes> pieces_;
  Chunk* chunk_ = nullptr;  // where pieces_ lie, unless in own_
  ChunkRef own_;
  std::string kept_;  // what address_ and properties_ view after detach()
};

}  // namespace weir::amqp091
