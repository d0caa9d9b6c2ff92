// What it is: the management API: RabbitMQ's HTTP API over this broker. It knows who asks, what the path means and who
// answers; the resources are in files of their own.
// Shard: shard 0, where definitions are decided; nothing here waits or takes long (large answers are written elsewhere).
// Lifetime: the broker outlives it; it outlives its connections.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "admin/cross_origin.h"
#include "admin/recorder.h"
#include "admin/route.h"
#include "base/error.h"
#include "node/session.h"
#include "protocol/common/login_delays.h"
#include "protocol/common/plain_message.h"
#include "protocol/http/exchange.h"

namespace weir::admin {

// What the server listens on, as shown.
struct ListenerFacts {
  std::string protocol;  // "amqp", "amqp/ssl", "http"
  std::string address;
  std::uint16_t port = 0;
  bool tls = false;
};

struct ServerFacts {
  std::string cluster_name;  // unless a global parameter says another one
  std::string default_vhost;
  std::string data_directory, log_file;
  std::uint16_t shards = 1;
  std::size_t message_bytes_max = 0;
  std::uint64_t started_ms = 0;  // wall clock
  std::uint64_t memory_max_bytes = 0, disk_free_min_bytes = 0;
  std::uint64_t (*disk_free_bytes)(const std::string& directory) = nullptr;
  std::uint32_t processors = 1;
  std::vector<ListenerFacts> listeners;
  std::uint64_t connections_max = 0;  // of clients; 0: as many as may come
  // Of the certificate that TLS listeners show: its file, and until when it is good by now, Unix seconds; 0: there is none.
  std::string certificate_file;
  std::function<std::int64_t()> certificate_expires_s;
  std::string settings;  // in force, as a JSON object, without secrets
  CrossOrigin cross_origin;
};

// What the API needs of the broker beyond a client's interface. All on shard 0.
struct ApiSurroundings {
  node::BrokerClient& client;
  // Decided by the broker itself, who may everything; `done` comes when it is durable and known on every shard.
  std::function<void(broker::Request request, std::function<void(Result<broker::Decision>)> done)> decide;
  // `work` on a thread of its own, then `done`. False: too much is waiting.
  std::function<bool(std::function<void()> work, std::function<void()> done)> offload;
  PlainMessages messages;
  // What the process and its machine use. Any thread.
  std::function<SeriesNumbers<NodeSeries>()> measure;
};

class CallSession;

class Api final : public http::Handler, private node::TurnHook {
 public:
  Api(ApiSurroundings surroundings, ServerFacts facts);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;
  ~Api();

  void on_head(const std::shared_ptr<http::Exchange>& exchange) override;
  void on_request(const std::shared_ptr<http::Exchange>& exchange) override;

  const ApiSurroundings& at() const { return at_; }
  const ServerFacts& facts() const { return facts_; }
  ServerFacts& facts() { return facts_; }
  LoginDelays& login_delays() { return login_delays_; }

  // Numbers are recorded from here on, until end_sessions().
  void record();
  // Null: they are not.
  const Recorder* recorder() const { return recorder_.get(); }

  void session_begins(CallSession& session);
  void session_ends(CallSession& session, std::unique_ptr<node::Session> broker_session);
  // Nobody else keeps a call that has asked the shards something, even if its client goes away.
  void call_waits(std::shared_ptr<Call> call) { waiting_.insert(std::move(call)); }
  void call_goes_on(const std::shared_ptr<Call>& call) { waiting_.erase(call); }
  // Something that goes on for a call, until it ends itself or the server does.
  void begin_work(std::shared_ptr<void> work) { work_.insert(std::move(work)); }
  void end_work(const std::shared_ptr<void>& work) { work_.erase(work); }
  // The connections are gone. What waits for the broker still waits no more.
  void end_sessions();

 private:
  void on_turn_end() override { ended_.clear(); }

  ApiSurroundings at_;
  ServerFacts facts_;
  std::vector<Route> routes_;
  RouteTable table_;
  LoginDelays login_delays_;
  std::unique_ptr<Recorder> recorder_;
  std::unordered_set<CallSession*> sessions_;
  std::unordered_set<std::shared_ptr<Call>> waiting_;
  std::unordered_set<std::shared_ptr<void>> work_;
  std::vector<std::unique_ptr<node::Session>> ended_;  // destroyed at the end of the turn
};

}  // namespace weir::admin
