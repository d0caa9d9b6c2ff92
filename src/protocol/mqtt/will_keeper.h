// What it is: wills that wait: their clients have gone, and may come back before the delay is over. Each is on the home shard of
// its client id.
// Shard: its BrokerClient's.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "node/session.h"
#include "protocol/mqtt/settings.h"
#include "protocol/mqtt/will.h"
#include "runtime/timers.h"

namespace weir::mqtt {

class RetainedStores;

class WillKeeper final : private node::SessionEvents {
 public:
  WillKeeper(node::BrokerClient& client, const Settings& settings, RetainedStores& retained)
      : client_(client), settings_(settings), retained_(retained) {}
  WillKeeper(const WillKeeper&) = delete;
  WillKeeper& operator=(const WillKeeper&) = delete;
  ~WillKeeper() { client_.timers().cancel(timer_); }

  // `key` stands for the client.
  void keep(const std::string& key, DelayedWill will);
  // The client is back: in its session, or, with a clean start, that one has ended [MQTT-3.1.2-8].
  void come_back(const std::string& key, bool clean_start);

 private:
  void on_reply(node::Reply) override {}
  void on_confirmed(node::PublisherNumber, std::uint64_t) override {}
  void on_rejected(node::PublisherNumber, std::uint64_t, std::uint64_t) override {}
  void on_delivery(const node::Delivery&) override {}
  void on_body_piece(node::BodyNumber, Result<node::BodyPiece>) override {}
  void on_consumer_cancelled(node::ConsumerNumber, node::CancelReason) override {}
  void on_publish_flow(bool, std::string_view) override {}
  void on_close_wanted(const Error&) override {}

  void on_due();
  void arm();
  void publish(const DelayedWill& will);

  node::BrokerClient& client_;
  const Settings& settings_;
  RetainedStores& retained_;
  std::unordered_map<std::string, DelayedWill> wills_;
  runtime::MethodTimer<WillKeeper, &WillKeeper::on_due> timer_{*this};
};

// As a client publishes it, of whom the session is.
void send_will(node::Session& session, const KeptWill& will, const Settings& settings,
               const RetainedStores& retained);

}  // namespace weir::mqtt
