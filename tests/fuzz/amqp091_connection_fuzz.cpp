// Any bytes into a connection over a broker in memory: it ends or waits, holds no more than its limits, and gives back
// what it held when the client goes. The first byte chooses what comes before and around, the second the size of reads.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/log.h"
#include "protocol/amqp091/codec/content_frames.h"
#include "protocol/amqp091/codec/methods.h"
#include "protocol/amqp091/connections.h"
#include "runtime/stream.h"
#include "support/fake_broker.h"

namespace {

using namespace weir;           // NOLINT
using namespace weir::amqp091;  // NOLINT

enum Option : std::uint8_t {
  after_handshake = 1,
  with_consumer = 2,  // after the handshake: a channel, a queue with messages, a consumer of it
  slow_replies = 4,
  slow_confirms = 8,
  reads_nothing = 16,
  slow_password = 32,
  with_alarm = 64,
};

class Client final : public runtime::StreamHandler {
 public:
  Client(runtime::ByteStream& stream, bool reads) : stream_(stream), reads_(reads) { stream_.open(*this); }
  void on_readable() override {
    std::byte buffer[4'096];
    while (reads_) {
      const auto count = stream_.read(buffer);
      if (!count || *count == 0) return;
    }
  }
  void on_writable() override { send({}); }
  void on_closed(const Error&) override { closed_ = true; }
  void send(Bytes bytes) {
    rest_.insert(rest_.end(), bytes.begin(), bytes.end());
    if (closed_ || rest_.empty()) return;
    const Bytes piece(rest_);
    const auto taken = stream_.write({&piece, 1});
    if (taken) rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(*taken));
  }

 private:
  runtime::ByteStream& stream_;
  bool reads_;
  bool closed_ = false;
  std::vector<std::byte> rest_;
};

std::vector<std::byte> opening(std::uint8_t options) {
  std::vector<std::byte> bytes;
  if ((options & after_handshake) == 0) return bytes;
  bytes.assign(std::begin(protocol_header), std::end(protocol_header));
  constexpr char login[] = "\0guest\0guest";
  append_method_frame(bytes, 0, ConnectionStartOk{{}, "PLAIN", {{login, sizeof login - 1}}, "en_US"});
  append_method_frame(bytes, 0, ConnectionTuneOk{100, 8'192, 10});
  append_method_frame(bytes, 0, ConnectionOpen{.virtual_host = "/"});
  if ((options & with_consumer) == 0) return bytes;
  append_method_frame(bytes, 1, ChannelOpen{});
  append_method_frame(bytes, 1, QueueDeclare{.queue = "q"});
  append_method_frame(bytes, 1, ConfirmSelect{});
  for (int i = 0; i < 3; ++i) {
    append_method_frame(bytes, 1, BasicPublish{.routing_key = "q"});
    append_content_frames(bytes, 1, no_properties, as_bytes("hello"), 8'192);
  }
  append_method_frame(bytes, 1, BasicConsume{.queue = "q", .consumer_tag = "c"});
  return bytes;
}

runtime::PeerInfo loopback() {
  runtime::PeerInfo peer;
  peer.address = "127.0.0.1";
  peer.loopback = true;
  return peer;
}

Settings small_messages() {
  Settings settings;
  settings.max_message_bytes = 1U << 20;
  return settings;
}

class World {
 public:
  World() : pair_(runtime::make_memory_pair(1U << 16, {}, loopback())) {
    connections.accept(pair_->take_right());
    stream = pair_->take_left();
  }
  void run(std::size_t bytes_per_read) {
    bool moved = true;
    while (moved) {
      moved = pair_->pump(bytes_per_read) > 0;
      moved = broker.end_turn() || moved;
    }
  }

 private:
  std::unique_ptr<runtime::MemoryPair> pair_;

 public:
  test::FakeBroker broker;
  Connections connections{broker, small_messages()};
  std::unique_ptr<runtime::ByteStream> stream;
};

void feed(World& world, Client& client, Bytes bytes, std::uint8_t options, std::size_t bytes_per_read) {
  test::FakeBroker& broker = world.broker;
  constexpr std::size_t pieces = 4;
  const std::size_t piece_bytes = bytes.size() / pieces + 1;
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    broker.hold_replies((options & slow_replies) != 0);
    broker.hold_confirms((options & slow_confirms) != 0);
    client.send(bytes.subspan(at, std::min(piece_bytes, bytes.size() - at)));
    world.run(bytes_per_read);
    if ((options & with_alarm) != 0) broker.set_publish_flow(false, "memory");
    world.run(bytes_per_read);
    broker.set_publish_flow(true, "");
    broker.hold_passwords(false);
    broker.hold_replies(false);
    broker.hold_confirms(false);
    world.run(bytes_per_read);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mute_log();
  if (size < 2) return 0;
  const std::uint8_t options = data[0];
  const std::size_t bytes_per_read = data[1] == 0 ? SIZE_MAX : data[1];
  World world;
  {
    Client client(*world.stream, (options & reads_nothing) == 0);
    world.broker.hold_passwords((options & slow_password) != 0);
    client.send(opening(options));
    world.run(SIZE_MAX);
    feed(world, client, std::as_bytes(std::span(data + 2, size - 2)), options, bytes_per_read);
    // Time goes by: heartbeats, deadlines.
    for (int i = 0; i < 30; ++i) {
      world.broker.advance_ms(500);
      world.run(SIZE_MAX);
    }
    WEIR_ASSERT(world.connections.size() <= 1);
  }
  world.stream->close();
  world.run(SIZE_MAX);
  // One that is waiting with its socket unread learns of the end by its deadline, or when it is shut down.
  world.connections.shut_down([] {});
  world.broker.advance_ms(shutdown_grace_ms + 1);
  world.run(SIZE_MAX);
  WEIR_ASSERT(world.connections.size() == 0);
  WEIR_ASSERT(world.broker.sessions() == 0);
  WEIR_ASSERT(world.broker.unsettled_at_end() == 0);
  return 0;
}
