#include "app/protocol_service.h"

#include <latch>
#include <utility>
#include <vector>

#include "base/log.h"
#include "runtime/loop.h"

namespace weir::app {
namespace {

constexpr std::uint64_t refusal_log_every_ns = 1'000'000'000;

}  // namespace

struct ProtocolService::State {
  State(node::Node& its_node, std::string its_name, ConnectionTally& connections)
      : node(its_node), name(std::move(its_name)), tally(connections) {}

  // On shard 0.
  void hand_over(runtime::Socket socket, runtime::TlsContext* tls) {
    if (tally.full()) return refuse(socket);
    const std::uint16_t shard = next_shard;
    next_shard = static_cast<std::uint16_t>((next_shard + 1) % node.shards());
    if (shard == 0) return adopt(0, std::move(socket), tls);
    // What is posted must be copyable, a socket is not.
    auto shared = std::make_shared<runtime::Socket>(std::move(socket));
    node.loop(ShardId{shard}).post([this, shard, shared, tls] { adopt(shard, std::move(*shared), tls); });
  }

  // On that shard.
  void adopt(std::uint16_t shard, runtime::Socket socket, runtime::TlsContext* tls) {
    if (front_ends[shard] == nullptr) return;  // stopping
    runtime::Loop& loop = node.loop(ShardId{shard});
    front_ends[shard]->accept(tls == nullptr ? loop.adopt(std::move(socket))
                                             : loop.adopt_tls(std::move(socket), *tls));
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
  State& state = *state_;
  Result<std::uint16_t> port = 0;
  state.node.run_on(ShardId{0}, [&] {
    auto listener = state.node.loop(ShardId{0}).listen(address, [&state, tls](runtime::Socket socket) {
      state.hand_over(std::move(socket), tls);
    });
    if (!listener) {
      port = std::unexpected(std::move(listener).error());
      return;
    }
    port = (*listener)->port();
    state.listeners.push_back(std::move(*listener));
  });
  return port;
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
