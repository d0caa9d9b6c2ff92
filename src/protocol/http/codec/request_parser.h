// What it is: requests of HTTP/1.1 and 1.0 out of a stream of bytes, one after the other. It stops behind each head, so
// that who asks can be known before a body is taken in.
// Errors: a fault is the status to answer with; the stream is of no use any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "protocol/http/codec/message.h"

namespace weir::http {

struct Fault {
  unsigned status = 400;
  std::string reason;
};

class RequestParser {
 public:
  explicit RequestParser(std::size_t head_bytes_max);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser();

  // Takes what it can use off the beginning of `input` and returns how many bytes that was. The rest is to be given again,
  // with more behind it. Takes nothing behind the head before expect_body(), nothing behind the message before take().
  std::size_t put(Bytes input);

  bool has_head() const { return has_head_; }
  bool complete() const;
  const std::optional<Fault>& fault() const { return fault_; }

  // With its body when it is complete. Of use when it has its head.
  const Request& request() const { return request_; }
  bool announces_body() const;
  // The client sends the body when it is told to.
  bool wants_continue() const { return wants_continue_; }
  // Once, behind the head. 413 if it is, or becomes, larger.
  void expect_body(std::size_t bytes_max);
  // The complete request; what comes next is the next one.
  Request take();

 private:
  struct Message;

  void take_head();
  void check_framing();
  void refuse(unsigned status, std::string reason);

  const std::size_t head_bytes_max_;
  std::unique_ptr<Message> message_;
  Request request_;
  std::optional<Fault> fault_;
  bool has_head_ = false, body_expected_ = false, wants_continue_ = false;
};

}  // namespace weir::http
