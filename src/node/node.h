// What it is: all shards of a process, each on its own thread with its own loop, over one data directory.
// Shard: made and stopped from the main thread; everything else of a shard is reached by run_on().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "broker/decide.h"
#include "node/session.h"
#include "node/shard.h"
#include "runtime/loop.h"

namespace weir::node {

struct NodeOptions {
  std::string data_directory;
  std::uint16_t shards = 0;  // 0: one per core; a directory keeps the number that it was made with
  std::string node_name = "weir@localhost";
  storage::JournalOptions journal;  // for each shard; the directory is filled in
  runtime::LoopOptions loop;
  AuthOptions auth;
  std::uint64_t transient_bytes_max = UINT64_MAX;
  HeadersOf headers_of;         // of messages in their native forms
  bool events = false;          // what happens is published in the default vhost (node/reports.h)
  SpanSink* tracing = nullptr;  // where spans go; outlives the node; null: nothing is traced
  // Made at the first start. An empty user: none is made.
  std::string default_vhost = "/";
  std::string default_user = "guest";
  std::string default_password = "guest";
  std::vector<std::string> default_tags{"administrator"};
  std::string default_configure = ".*", default_write = ".*", default_read = ".*";
};

class Node {
 public:
  // Recovers all shards and sets their loops running. Errors: what recovery says.
  static Result<std::unique_ptr<Node>> start(NodeOptions options);
  virtual ~Node() = default;  // stop() came before

  virtual std::uint16_t shards() const = 0;
  virtual BrokerClient& client(ShardId shard) = 0;  // for use on that shard
  virtual runtime::Loop& loop(ShardId shard) = 0;
  // Runs `call` on the shard and waits until it has run. Not from a shard's thread.
  virtual void run_on(ShardId shard, const std::function<void()>& call) = 0;
  // Decides and carries out, in order; stops at the first error. Waits until all is durable. Not from a shard's thread.
  virtual Status administer(std::vector<broker::Request> requests) = 0;
  // One request, on shard 0's thread, on which `done` comes too: when it is durable, and known on every shard.
  virtual void administer_one(broker::Request request,
                              std::function<void(Result<broker::Decision>)> done) = 0;
  // Runs `work` on a worker, for what would stall a shard, and then `done` on the shard. On that shard's thread. False: too
  // much is waiting.
  virtual bool offload(ShardId shard, std::function<void()> work, std::function<void()> done) = 0;
  virtual bool first_start() const = 0;
  // Publishing is stopped everywhere until it is null again. A constant: "memory", "disk". Any thread.
  virtual void set_alarm(const char* alarm) = 0;
  // Asks every session's connection to close.
  virtual void close_sessions(const Error& reason) = 0;
  virtual std::uint64_t session_count() = 0;
  // Connections are closed. Writes everything out, closes the journals in order, ends the loops.
  virtual Status stop() = 0;
};

}  // namespace weir::node
