// What it is: AMQP 0-9-1 connections over the fake broker and streams in memory.
#pragma once

#include <memory>
#include <vector>

#include "protocol/amqp091/connections.h"
#include "protocol/amqp091/settings.h"
#include "runtime/stream.h"
#include "support/amqp_script.h"
#include "support/fake_broker.h"

namespace weir::test {

class FakeWorld final : public AmqpWorld {
 public:
  explicit FakeWorld(amqp091::Settings settings = {}) : connections(broker, std::move(settings)) {}

  std::unique_ptr<runtime::ByteStream> connect(bool loopback) override {
    runtime::PeerInfo client;
    client.address = loopback ? "127.0.0.1" : "192.0.2.7";
    client.port = 40'000;
    client.loopback = loopback;
    client.certificate_subject = certificate_subject;
    pairs_.push_back(runtime::make_memory_pair(capacity_bytes, {}, client));
    connections.accept(pairs_.back()->take_right());
    return pairs_.back()->take_left();
  }

  void run() override {
    bool moved = true;
    while (moved) {
      moved = false;
      for (std::size_t i = 0; i < pairs_.size(); ++i) moved = pairs_[i]->pump(bytes_per_read) > 0 || moved;
      moved = broker.end_turn() || moved;
    }
  }

  // Time passes, and what comes of it is done.
  void pass_ms(std::uint64_t ms) {
    for (std::uint64_t i = 0; i < ms; ++i) {
      broker.advance_ms(1);
      run();
    }
  }

  std::size_t bytes_per_read = SIZE_MAX;
  std::size_t capacity_bytes = 1U << 20;
  std::string certificate_subject;  // of clients that connect from now on

 private:
  std::vector<std::unique_ptr<runtime::MemoryPair>> pairs_;

 public:
  FakeBroker broker;
  amqp091::Connections connections;
};

}  // namespace weir::test
