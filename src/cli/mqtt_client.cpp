#include "cli/mqtt_client.h"

#include <fmt/format.h>

#include <utility>

namespace weir::cli {

using namespace mqtt;

namespace {
constexpr std::uint32_t session_expiry_s =
    3'600;  // of one that is kept: a run that breaks leaves no more than that
}

MqttClient::MqttClient(const BenchServer& server, MqttIdentity identity, MqttEvents& events)
    : server_(server), identity_(std::move(identity)), events_(events), wire_(*this) {
  reader_.use(identity_.version);
}

std::byte* MqttClient::append_room(std::size_t bytes) {
  std::vector<std::byte>& own = wire_.output().own();
  own.resize(own.size() + bytes);
  return own.data() + own.size() - bytes;
}

void MqttClient::start(std::unique_ptr<runtime::ByteStream> stream) {
  Connect connect{
      .version = identity_.version, .clean_start = identity_.clean, .client_id = identity_.client_id};
  if (!server_.user.empty()) {
    connect.user_name = server_.user;
    connect.password = as_bytes(server_.password);
  }
  if (!identity_.clean) connect.properties.session_expiry_s = session_expiry_s;
  connect.properties.receive_maximum = identity_.receive_maximum;
  write(append_room(size_of(connect)), connect);
  wire_.start(std::move(stream));
}

void MqttClient::append_ack(PacketType type, std::uint16_t packet_id) {
  write_plain_ack(append_room(plain_ack_bytes), type, packet_id);
}

void MqttClient::append(const SubscribeRequest& request) {
  write(append_room(size_of(identity_.version, request)), identity_.version, request);
}

std::size_t MqttClient::on_input(Bytes input) {
  using Kind = PacketReader::Kind;
  const std::size_t all = input.size();
  events_.on_input_begin();
  while (state_ != State::closed) {
    const Kind kind = reader_.next(input, nullptr, {});
    if (kind == Kind::none) break;
    if (kind == Kind::packet) {
      on_packet();
    } else {
      fail_with(fmt::format("bad packet from the broker: {}", reader_.error().text));
    }
  }
  if (state_ != State::closed) events_.on_input_end();
  return all;
}

void MqttClient::on_packet() {
  const PacketType type = reader_.type();
  if (state_ == State::connecting) return on_connack();
  switch (type) {
    case PacketType::publish:
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
    case PacketType::suback: return events_.on_packet(reader_);
    case PacketType::disconnect: {
      const auto disconnect = decode_server_disconnect(identity_.version, reader_.body());
      return fail_with(fmt::format("the broker closed the connection: {}",
                                   disconnect ? to_string(disconnect->code) : "without a reason"));
    }
    default: fail_with(fmt::format("unexpected packet {}", to_string(type)));
  }
}

void MqttClient::on_connack() {
  if (reader_.type() != PacketType::connack) return fail_with("a packet before CONNACK");
  const auto connack = decode_connack(identity_.version, reader_.body());
  if (!connack) return fail_with(fmt::format("bad CONNACK: {}", connack.error().text));
  if (connack->code != ReasonCode::success)
    return fail_with(fmt::format("the broker refuses the connection: {}", to_string(connack->code)));
  state_ = State::open;
  events_.on_ready(*connack);
}

void MqttClient::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  const Disconnect disconnect;
  write(append_room(size_of(identity_.version, disconnect)), identity_.version, disconnect);
  flush();
  wire_.end();
}

void MqttClient::fail_with(std::string what) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  wire_.end();
  events_.on_failed({ErrorCode::closed, std::move(what)});
}

void MqttClient::on_lost(const Error& error) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  events_.on_failed({error.code, fmt::format("connection lost: {}", error.message)});
}

}  // namespace weir::cli
