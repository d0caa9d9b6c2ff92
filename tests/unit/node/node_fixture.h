// What it is: a simulated node for a test, with what tests do to it: sessions, restarts, crashes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "broker/decide.h"
#include "runtime/sim/sim_disk.h"
#include "support/fault_disk.h"
#include "support/sim_node.h"
#include "support/test_session.h"

namespace weir::node {

class NodeTest : public testing::Test {
 protected:
  NodeTest() {
    mute_log();
    options.wrap_disk = [this](std::unique_ptr<runtime::Disk> disk) {
      return std::make_unique<runtime::FaultDisk>(std::move(disk), plan);
    };
  }
  ~NodeTest() override { sessions.clear(); }

  void start(std::uint16_t shards = 1) {
    options.shards = shards;
    boot();
  }
  void boot() {
    options.seed += 1;
    node = std::make_unique<SimNode>(machine, options);
    const Status started = node->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  TestSession& session(std::uint16_t shard = 0) {
    sessions.push_back(std::make_unique<TestSession>(*node, shard));
    return *sessions.back();
  }
  // An ordered end, and a new start.
  void restart() {
    sessions.clear();
    const Status stopped = node->stop();
    ASSERT_TRUE(stopped.has_value()) << stopped.error().message;
    node.reset();
    boot();
  }
  void crash() {
    machine.crash();
    sessions.clear();
    node.reset();
    boot();
  }
  void settle() { ASSERT_TRUE(node->settle()) << "the node does not come to rest"; }
  // The name of a queue that lives on the shard.
  std::string queue_on(std::uint16_t shard, std::string name = "q") const {
    while (broker::place_queue("/", name, options.shards) != ShardId{shard}) name += 'q';
    return name;
  }
  const broker::Queue* find(const QueueStatus& queue) {
    const broker::QueueDefinition* const definition = node->shard(0).topology().find_queue(queue.queue);
    return definition == nullptr ? nullptr : node->shard(definition->shard.value).host().find(queue.queue);
  }

  runtime::SimStorage machine{7};
  runtime::DiskPlan plan;
  SimNodeOptions options;
  std::unique_ptr<SimNode> node;
  std::vector<std::unique_ptr<TestSession>> sessions;
};

}  // namespace weir::node
