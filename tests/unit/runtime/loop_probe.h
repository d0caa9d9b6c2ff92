// What it is: what the tests of loops and sockets share: turning a loop until something holds, and stream handlers
// that remember.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/loop.h"
#include "runtime/stream.h"

namespace weir::runtime {

// Runs the loop until a condition holds at the end of a turn; a test that waits over 20 s has failed.
class Until final : public TurnHandler {
 public:
  Until(Loop& loop, std::function<bool()> holds) : loop_(loop), holds_(std::move(holds)) {}
  bool begin_turn() override { return false; }
  void end_turn() override {
    if (held_ || !holds_()) return;
    held_ = true;
    loop_.stop();
  }
  bool run() {
    struct Limit final : Timer {
      explicit Limit(Loop& limited) : loop(limited) {}
      void on_timer() override { loop.stop(); }
      Loop& loop;
    } limit(loop_);
    loop_.timers().arm(limit, 20'000);
    loop_.wake();  // the first turn may find that it holds already
    loop_.run(this);
    return held_;
  }

 private:
  Loop& loop_;
  std::function<bool()> holds_;
  bool held_ = false;
};

inline bool run_until(Loop& loop, std::function<bool()> holds) { return Until(loop, std::move(holds)).run(); }

// One end of a connection: collects what it reads, sends what it is given as room allows.
class Endpoint final : public StreamHandler {
 public:
  explicit Endpoint(std::unique_ptr<ByteStream> taken) : stream(std::move(taken)) { stream->open(*this); }

  void on_readable() override {
    ++readable;
    if (refuses) return stream.reset();
    std::string buffer(read_bytes, '\0');
    while (stream != nullptr) {
      const auto count = stream->read({reinterpret_cast<std::byte*>(buffer.data()), buffer.size()});
      if (!count || *count == 0) break;
      received.append(buffer, 0, *count);
      if (on_bytes) on_bytes();
    }
  }
  void on_writable() override {
    ++writable;
    push();
  }
  void on_closed(const Error& reason) override {
    closed.push_back(reason);
    stream.reset();
  }

  void send(std::string_view text) {
    pending.append(text);
    push();
  }
  void push() {
    while (stream != nullptr && !pending.empty()) {
      const Bytes piece = as_bytes(pending);
      const auto count = stream->write({&piece, 1});
      if (!count) return;
      pending.erase(0, *count);
      if (*count < piece.size()) return;
    }
  }

  std::unique_ptr<ByteStream> stream;
  std::string received;
  std::string pending;
  std::size_t read_bytes = 64U << 10;
  bool refuses = false;  // closes instead of reading
  int readable = 0;
  int writable = 0;
  std::vector<Error> closed;
  std::function<void()> on_bytes;
};

}  // namespace weir::runtime
