// What it is: a ticket shop: publishes the orders that have arrived at it, persistent and with confirms. What was not
// confirmed when its connection ends it publishes again on the next one, for as long as it takes.
// Shard: its loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cli/amqp_client.h"
#include "cli/bench_options.h"
#include "cli/order_book.h"

namespace weir::cli {

// What shops and workers are given.
struct RushPlace {
  BenchServer server;
  std::string queue;
  OrderBook& book;
  runtime::Loop& loop;
  runtime::TlsContext* tls = nullptr;  // null: plain TCP
};

inline constexpr std::uint64_t rush_retry_ns = 50'000'000;  // from one connection's end to the next attempt

class RushShop final : ClientEvents {
 public:
  // Of the orders 0, 1, 2 … it has every `step`th, from `first` on, of `orders`.
  RushShop(const RushPlace& place, std::uint32_t first, std::uint32_t step, std::uint32_t orders);

  // Publishes what has arrived, or connects.
  void tick(std::uint64_t now_ns);
  void close();
  bool finished() const { return client_ == nullptr || client_->finished(); }

 private:
  void on_ready() override;
  void on_input_begin() override {}
  void on_frame(const amqp091::Frame& frame) override;
  void on_input_end() override { publish(); }
  void on_output_room() override { publish(); }
  void on_failed(const Error& error) override;
  void on_closed() override {}

  void publish();
  bool next(std::uint32_t& order);
  void append_order(std::uint32_t order);
  void settle(std::uint64_t tag, bool multiple, bool refused);

  const RushPlace& place_;
  const std::uint32_t step_, orders_;
  std::uint32_t next_;                     // the first that was never published
  std::deque<std::uint32_t> again_;        // to be published once more
  std::deque<std::uint32_t> unconfirmed_;  // from first_tag_ on; settled: those that are
  std::uint64_t first_tag_ = 1;
  std::unique_ptr<AmqpClient> client_;
  std::vector<std::byte> out_;  // frames that the client points at
  bool ready_ = false, closing_ = false;
  std::uint64_t retry_at_ns_ = 0;
};

}  // namespace weir::cli
