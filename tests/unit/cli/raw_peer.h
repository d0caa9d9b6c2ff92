// What it is: the broker's end of a client's stream, for tests that write its bytes themselves.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "runtime/stream.h"

namespace weir::cli {

class RawPeer final : public runtime::StreamHandler {
 public:
  explicit RawPeer(std::unique_ptr<runtime::ByteStream> stream) : stream_(std::move(stream)) {
    stream_->open(*this);
  }
  void send(Bytes bytes) { ASSERT_EQ(*stream_->write(std::span(&bytes, 1)), bytes.size()); }
  void hang_up() { stream_->close(); }

  std::vector<std::byte> received;
  bool closed = false;

 private:
  void on_readable() override {
    std::byte buffer[4096];
    while (true) {
      const Result<std::size_t> got = stream_->read(buffer);
      if (!got || *got == 0) return;
      received.insert(received.end(), buffer, buffer + *got);
    }
  }
  void on_writable() override {}
  void on_closed(const Error&) override { closed = true; }

  std::unique_ptr<runtime::ByteStream> stream_;
};

}  // namespace weir::cli
