#include "app/amqp_service.h"

#include <atomic>
#include <latch>
#include <utility>
#include <vector>

#include "base/log.h"
#include "protocol/amqp091/connections.h"
#include "runtime/loop.h"

namespace weir::app {
namespace {

constexpr std::uint64_t refusal_log_every_ns = 1'000'000'000;

amqp091::Settings protocol_settings(const Settings& settings) {
  amqp091::Settings own;
  own.frame_max = static_cast<std::uint32_t>(settings.amqp_frame_max);
  own.channel_max = static_cast<std::uint16_t>(settings.amqp_channel_max);
  own.heartbeat_s = static_cast<std::uint16_t>(settings.amqp_heartbeat_s);
  own.handshake_timeout_ms = static_cast<std::uint32_t>(settings.amqp_handshake_timeout_ms);
  own.consumer_timeout_ms = settings.amqp_consumer_timeout_ms;
  own.max_message_bytes = settings.message_bytes_max;
  if (settings.tls_login_from == "common_name")
    own.certificate_login = amqp091::CertificateLogin::common_name;
  return own;
}

}  // namespace

struct AmqpService::State {
  State(node::Node& its_node, std::uint64_t max) : node(its_node), connections_max(max) {}

  // On shard 0.
  void hand_over(runtime::Socket socket, runtime::TlsContext* tls) {
    if (open.load(std::memory_order_relaxed) >= connections_max) return refuse(socket);
    const std::uint16_t shard = next_shard;
    next_shard = static_cast<std::uint16_t>((next_shard + 1) % node.shards());
    if (shard == 0) return adopt(0, std::move(socket), tls);
    // What is posted must be copyable, a socket is not.
    auto shared = std::make_shared<runtime::Socket>(std::move(socket));
    node.loop(ShardId{shard}).post([this, shard, shared, tls] { adopt(shard, std::move(*shared), tls); });
  }

  // On that shard.
  void adopt(std::uint16_t shard, runtime::Socket socket, runtime::TlsContext* tls) {
    if (connections[shard] == nullptr) return;  // stopping
    runtime::Loop& loop = node.loop(ShardId{shard});
    connections[shard]->accept(tls == nullptr ? loop.adopt(std::move(socket))
                                              : loop.adopt_tls(std::move(socket), *tls));
  }

  void refuse(const runtime::Socket& socket) {
    ++refused;
    const std::uint64_t now_ns = node.client(ShardId{0}).clock().monotonic_ns();
    if (refusal_logged_ns != 0 && now_ns - refusal_logged_ns < refusal_log_every_ns) return;
    log_warning("amqp", "limits.connections_max ({}) is reached: {} connections refused, the last from {}",
                connections_max, refused, socket.peer().address);
    refused = 0;
    refusal_logged_ns = now_ns;
  }

  node::Node& node;
  const std::uint64_t connections_max;
  std::atomic<std::uint64_t> open{0};                              // connections of all shards
  std::vector<std::unique_ptr<amqp091::Connections>> connections;  // by shard; each used on its shard only

  // Of shard 0.
  std::vector<std::unique_ptr<runtime::Listener>> listeners;
  std::uint16_t next_shard = 0;
  std::uint64_t refused = 0, refusal_logged_ns = 0;
};

AmqpService::AmqpService(node::Node& node, const Settings& settings, std::uint64_t connections_max)
    : state_(std::make_unique<State>(node, connections_max)) {
  state_->connections.resize(node.shards());
  for (std::uint16_t shard = 0; shard < node.shards(); ++shard) {
    node.run_on(ShardId{shard}, [&] {
      state_->connections[shard] = std::make_unique<amqp091::Connections>(
          node.client(ShardId{shard}), protocol_settings(settings), &state_->open);
    });
  }
}

AmqpService::~AmqpService() { stop(); }

Result<std::uint16_t> AmqpService::listen(const std::string& address, runtime::TlsContext* tls) {
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

void AmqpService::stop() {
  State& state = *state_;
  if (state.connections.empty()) return;
  const std::uint16_t shards = state.node.shards();
  state.node.run_on(ShardId{0}, [&] { state.listeners.clear(); });
  std::latch gone(shards);
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    // What was handed over before is adopted before: posted calls run in order.
    state.node.run_on(ShardId{shard},
                      [&, shard] { state.connections[shard]->shut_down([&gone] { gone.count_down(); }); });
  }
  gone.wait();
  for (std::uint16_t shard = 0; shard < shards; ++shard) {
    state.node.run_on(ShardId{shard}, [&, shard] { state.connections[shard].reset(); });
  }
  state.connections.clear();
}

}  // namespace weir::app
