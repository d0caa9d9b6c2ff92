// What it is: one response of HTTP/1.1 out of a stream of bytes, for clients. A body without a length ends with the stream.
// Errors: config of none; what can't be read is ErrorCode::corrupt.
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "protocol/http/codec/message.h"

namespace weir::http {

class ResponseParser {
 public:
  explicit ResponseParser(std::size_t body_bytes_max);
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;
  ~ResponseParser();

  // Takes what it can use off the beginning of `input` and returns how many bytes that was. The rest is to be given again,
  // with more behind it.
  Result<std::size_t> put(Bytes input);
  // The stream has ended.
  Status finish();
  bool complete() const;
  Response take();

 private:
  struct Message;
  std::unique_ptr<Message> message_;
};

}  // namespace weir::http
