#include "app/protocol_service.h"

#include <latch>
#include <utility>
#include <vector>

#include "base/log.h"
#include "protocol/http/web_socket.h"
#include "runtime/loop.h"

namespace weir::app {
namespace {

constexpr std::uint64_t refusal_log_every_ns = 1'000'000'000;

// What lies between the socket and the protocol; null: nothing.
struct Carrier {
  runtime::TlsContext* tls = nullptr;
  const http::WebSocketOptions* web_socket = nullptr;
};

}  // namespace

struct ProtocolService::State {
  State(node::Node& its_node, std::string its_name, ConnectionTally& connections)
      : node(its_node), name(std::move(its_name)), tally(connections) {}

  // On shard 0.
  void hand_over(runtime::Socket socket, const Carrier& by) {
    if (tally.full()) return refuse(socket);
    const std::uint16_t shard = next_shard;
    next_shard = static_cast<std::uint16_t>((next_shard + 1) % node.shards());
    if (shard == 0) return adopt(0, std::move(socket), by);
    // What is posted must be copyable, a socket is not.
    auto shared = std::make_shared<runtime::Socket>(std::move(socket));
    node.loop(ShardId{shard}).post([this, shard, shared, by] { adopt(shard, std::move(*shared), by); });
  }

  // On that shard.
  void adopt(std::uint16_t shard, runtime::Socket socket, const Carrier& by) {
    if (front_ends[shard] == nullptr) return;  // stopping
    runtime::Loop& loop = node.loop(ShardId{shard});
    std::unique_ptr<runtime::ByteStream> stream =
        by.tls == nullptr ? loop.adopt(std::move(socket)) : loop.adopt_tls(std::move(socket), *by.tls);
    if (by.web_socket != nullptr)
      stream = http::make_web_socket(std::move(stream), loop.timers(), loop.clock(), *by.web_socket);
    front_ends[shard]->accept(std::move(stream));
  }

  // On the main thread.
  Result<std::uint16_t> listen(const std::string& address, const Carrier& by) {
    Result<std::uint16_t> port = 0;
    node.run_on(ShardId{0}, [&] {
      auto listener = node.loop(ShardId{0}).listen(address, [this, by](runtime::Socket socket) {
        hand_over(std::move(socket), by);
      });
      if (!listener) {
        port = std::unexpected(std::move(listener).error());
        return;
      }
      port = (*listener)->port();
      listeners.push_back(std::move(*listener));
    });
    return port;
  }

  void refuse(const runtime::Socket& socket) {
    ++refused;
    const std::uint64_t now_ns = node.client(ShardId{0}).clock().monotonic_ns();
    if (refusal_logged_ns != 0 && now_ns - refusal_logged_ns < refusal_log_every_ns) return;
    log_warning(name, "limits.connections_max ({}) is reached: {} connections refused, the last from {}",
                tally.most(), refused, socket.peer().address);
    refused = 0;
    refusal_logged_ns = now_ns;
  }

  node::Node& node;
  const std::string name;
  ConnectionTally& tally;
  std::vector<std::unique_ptr<http::WebSocketOptions>> web_sockets;
  std::vector<std::unique_ptr<FrontEnd>> front_ends;  // by shard; each used on its shard only

  // Of shard 0.
  std::vector<std::unique_ptr<runtime::Listener>> listeners;
  std::uint16_t next_shard = 0;
  std::uint64_t refused = 0, refusal_logged_ns = 0;
};

ProtocolService::ProtocolService(node::Node& node, std::string name, ConnectionTally& tally,
                                 const MakeFrontEnd& make)
    : state_(std::make_unique<State>(node, std::move(name), tally)) {
  state_->front_ends.resize(node.shards());
  for (std::uint16_t shard = 0; shard < node.shards(); ++shard) {
    node.run_on(ShardId{shard},
                [&] { state_->front_ends[shard] = make(node.client(ShardId{shard}), tally); });
  }
}

ProtocolService::~ProtocolService() { stop(); }

Result<std::uint16_t> ProtocolService::listen(const std::string& address, runtime::TlsContext* tls) {
  return state_->listen(address, {tls});
}

Result<std::uint16_t> ProtocolService::listen_web(const std::string& address, runtime::TlsContext* tls,
                                                  http::WebSocketOptions options) {
  auto& kept = state_->web_sockets.emplace_back(std::make_unique<http::WebSocketOptions>(std::move(options)));
  return state_->listen(address, {tls, kept.get()});
}

void ProtocolService::stop() {
  State& state = *state_;
  if (state.front_ends.empty()) return;
  const std::uint16_t shards = state.node.shards();
  state.node.run_on(ShardId{0}, [&] { state.listeners.clear(); });
  std::latch gone(shards);
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    // What was handed over before is adopted before: posted calls run in order.
    state.node.run_on(ShardId{shard},
                      [&, shard] { state.front_ends[shard]->shut_down([&gone] { gone.count_down(); }); });
  }
  gone.wait();
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    state.node.run_on(ShardId{shard}, [&, shard] { state.front_ends[shard].reset(); });
  }
  state.front_ends.clear();
}

}  // namespace weir::app
