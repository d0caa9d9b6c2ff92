// What it is: AMQP 0-9-1 connections over a real node of several shards on a simulated disk, with streams in memory.
// Connections are given to the shards in turn.
#pragma once

#include <memory>
#include <vector>

#include "protocol/amqp091/connections.h"
#include "runtime/sim/sim_disk.h"
#include "runtime/stream.h"
#include "support/amqp_script.h"
#include "support/sim_node.h"

namespace weir::test {

class SimWorld final : public AmqpWorld {
 public:
  explicit SimWorld(std::uint16_t shards, std::uint64_t seed = 1)
      : machine_(seed), node(machine_, options_for(shards, seed)) {
    EXPECT_TRUE(node.start().has_value());
    for (std::uint16_t shard = 0; shard < shards; ++shard) {
      connections.push_back(std::make_unique<amqp091::Connections>(node.shard(shard)));
    }
  }
  ~SimWorld() override {
    connections.clear();
    EXPECT_TRUE(node.stop().has_value());
  }

  std::unique_ptr<runtime::ByteStream> connect(bool loopback) override {
    runtime::PeerInfo client;
    client.address = loopback ? "127.0.0.1" : "192.0.2.7";
    client.loopback = loopback;
    links_.push_back({runtime::make_memory_pair(1U << 20, {}, client), next_shard_});
    next_shard_ = static_cast<std::uint16_t>((next_shard_ + 1) % node.shards());
    Link& link = links_.back();
    node.turn(link.shard, [&] { connections[link.shard]->accept(link.pair->take_right()); });
    return link.pair->take_left();
  }

  void run() override {
    for (bool moved = true; moved;) {
      moved = false;
      for (Link& link : links_) {
        node.turn(link.shard, [&] { moved = link.pair->pump(bytes_per_read) > 0 || moved; });
      }
      ASSERT_TRUE(node.settle());
    }
  }

  std::size_t bytes_per_read = SIZE_MAX;

  static node::SimNodeOptions options_for(std::uint16_t shards, std::uint64_t seed) {
    node::SimNodeOptions options;
    options.shards = shards;
    options.seed = seed;
    options.body_sizes = {3'000, 1'000};  // so that large messages need not be large
    return options;
  }

 private:
  struct Link {
    std::unique_ptr<runtime::MemoryPair> pair;
    std::uint16_t shard;
  };
  runtime::SimStorage machine_;
  std::vector<Link> links_;
  std::uint16_t next_shard_ = 0;

 public:
  node::SimNode node;
  std::vector<std::unique_ptr<amqp091::Connections>> connections;  // by shard
};

}  // namespace weir::test
