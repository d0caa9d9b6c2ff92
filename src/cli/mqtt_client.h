// What it is: a client's MQTT connection (3.1.1 or 5.0): CONNECT, packets in and out, DISCONNECT. What it is for is its
// owner's matter: see MqttEvents.
// Shard: that of the loop which its stream belongs to.
// Lifetime: `events` outlives it.
// Errors: everything that ends the connection before close() comes once, as on_failed().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/bench_options.h"
#include "cli/wire_client.h"
#include "protocol/mqtt/codec/client.h"
#include "protocol/mqtt/codec/packet_reader.h"

namespace weir::cli {

struct MqttIdentity {
  mqtt::Version version = mqtt::Version::v3_1_1;
  std::string client_id{};
  bool clean = true;                       // the session begins anew, and ends with the connection
  std::uint16_t receive_maximum = 65'535;  // 5.0 only
};

class MqttEvents {
 public:
  virtual void on_ready(const mqtt::Connack& connack) = 0;
  // Bytes were read: their packets follow, then on_input_end(), which is the place to write.
  virtual void on_input_begin() {}
  // PUBLISH, its acknowledgements, and SUBACK.
  virtual void on_packet(const mqtt::PacketReader& packet) = 0;
  virtual void on_input_end() {}
  virtual void on_output_room() {}
  virtual void on_failed(const Error& error) = 0;

 protected:
  ~MqttEvents() = default;
};

class MqttClient final : WireEvents {
 public:
  MqttClient(const BenchServer& server, MqttIdentity identity, MqttEvents& events);

  void start(std::unique_ptr<runtime::ByteStream> stream);
  mqtt::Version version() const { return identity_.version; }
  bool may_write() const { return state_ == State::open && wire_.output().idle(); }
  void queue_bytes(Bytes bytes) { wire_.output().queue(bytes); }
  void append_ack(mqtt::PacketType type, std::uint16_t packet_id);
  void append(const mqtt::SubscribeRequest& request);
  void flush() { wire_.flush(); }
  // Says goodbye. No event follows.
  void close();
  void fail_with(std::string what);

 private:
  enum class State : std::uint8_t { connecting, open, closed };

  std::size_t on_input(Bytes input) override;
  void on_output_room() override { events_.on_output_room(); }
  void on_lost(const Error& error) override;
  void on_packet();
  void on_connack();
  std::byte* append_room(std::size_t bytes);

  const BenchServer& server_;
  MqttIdentity identity_;
  MqttEvents& events_;
  WireClient wire_;
  mqtt::PacketReader reader_;
  State state_ = State::connecting;
};

}  // namespace weir::cli
