// What it is: a worker between the queue and the database: takes orders with a prefetch, has the database write them, and
// acknowledges what is written. It may be killed, with orders in its hands, and come back.
// Shard: its loop's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "cli/rush_shop.h"

namespace weir::cli {

class RushWorker final : ClientEvents {
 public:
  RushWorker(const RushPlace& place, std::uint16_t prefetch) : place_(place), prefetch_(prefetch) {}

  // Connects, if it should and is not.
  void tick(std::uint64_t now_ns);
  // Has the database write one order. False: it has none.
  bool commit_one();
  // Acknowledges what was written.
  void acknowledge();
  // Ends without a word, right after the database has written `unacknowledged` orders more.
  void kill(std::uint32_t unacknowledged);
  void revive() { killed_ = false; }
  void close();
  bool finished() const { return client_ == nullptr || client_->finished(); }

  // Any thread.
  std::uint32_t holds() const { return holds_.load(std::memory_order_relaxed); }
  bool connected() const { return connected_.load(std::memory_order_relaxed); }

 private:
  struct Held {
    std::uint64_t tag = 0;
    bool redelivered = false;
    std::string body;
    std::uint64_t body_bytes = 0;
  };

  void on_ready() override;
  void on_input_begin() override {}
  void on_frame(const amqp091::Frame& frame) override;
  void on_input_end() override { holds_.store(static_cast<std::uint32_t>(held_.size())); }
  void on_output_room() override {}
  void on_failed(const Error& error) override;
  void on_closed() override { connected_.store(false); }

  void on_method(Bytes payload);
  void delivered();
  void forget();

  const RushPlace& place_;
  const std::uint16_t prefetch_;
  std::unique_ptr<AmqpClient> client_;
  Held coming_;
  std::deque<Held> held_;
  std::uint64_t written_tag_ = 0;  // up to where the database has written; 0: all of it is acknowledged
  bool killed_ = false, closing_ = false;
  std::uint64_t retry_at_ns_ = 0;
  std::atomic<std::uint32_t> holds_{0};
  std::atomic<bool> connected_{false};
};

}  // namespace weir::cli
