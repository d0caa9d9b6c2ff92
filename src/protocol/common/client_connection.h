// What it is: what a client's connection does whatever its protocol: it reads while there is nothing to wait for, holds what
// was read and can't be handled, sends with back-pressure, logs in, streams large bodies out, keeps its session until the
// end of the turn in which it was released, and says in the log how it began and ended.
//
// Waiting: a request to the broker, a check of a password, an alarm or a peer that reads nothing stop the handling of
//   input; what was read and not handled is held, the socket is not read.
// Shard: that of its BrokerClient. Lifetime: its owner destroys it outside of its callbacks, after told_ended().
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "base/fifo.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/meter.h"
#include "node/session.h"
#include "protocol/common/connection_log.h"
#include "protocol/common/held_input.h"
#include "protocol/common/login_delays.h"
#include "protocol/common/output.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir {

// At least so much room for one read.
inline constexpr std::size_t read_bytes_min = 64U << 10;
// More unsent output than this: deliveries stop. Below the lower mark they go on.
inline constexpr std::size_t output_high_bytes = limits::delivery_window_bytes;
inline constexpr std::size_t output_low_bytes = output_high_bytes / 4;
// More than this: the client is not listened to either, whoever asks much has to read the answers.
inline constexpr std::size_t output_deaf_bytes = 4U << 20;

class ClientConnection : public runtime::StreamHandler, public node::SessionEvents, public node::TurnHook {
 public:
  // What the connections of a front-end on a shard share.
  struct Shared {
    OutputBlocks& blocks;
    LoginDelays& login_delays;
  };

  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  void open();
  bool ended() const { return ended_; }

  // --- runtime::StreamHandler ---
  void on_readable() final;
  void on_writable() final;
  void on_closed(const Error& reason) final;
  // --- node::TurnHook ---
  void on_turn_end() final;
  // --- node::SessionEvents ---
  void on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) final;
  void on_publish_flow(bool open, std::string_view alarm) final;

 protected:
  // Why input is not handled.
  enum Wait : std::uint8_t {
    for_request = 1,
    for_authentication = 2,
    for_publish_flow = 4,
    for_output = 8,
  };

  ClientConnection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream, Shared shared);
  ~ClientConnection();
  // For the destructor of the protocol's connection: the session goes at once.
  void close_down();

  // --- what the protocol does ---

  // Everything, or until waiting(): then the rest is hold()en. Called with nothing, too: what was taken before may go on.
  virtual void take_frames(Bytes input, Chunk* chunk) = 0;
  virtual bool running() const = 0;  // the client is let in, and has not begun to leave
  // It ends as soon as its output has left.
  virtual bool leaving() const = 0;
  virtual std::uint32_t handshake_timeout_ms() const = 0;
  // No time is left of the handshake, or of leaving.
  virtual void on_deadline() = 0;
  // The answer to authenticate(): identity_ is filled in, or why not.
  virtual void on_identity(Status known) = 0;
  // Gives back what it holds of the session, which ends with the turn.
  virtual void give_back() = 0;
  virtual void forget_session() = 0;  // the session is about to go: what refers to it goes
  virtual void before_flush() {}      // at the end of the turn
  virtual void apply_publish_flow();
  virtual void write_piece(std::uint32_t of, const node::BodyPiece& piece);
  virtual void on_body_sent() {}
  virtual void on_body_lost(std::string_view why) = 0;
  virtual void told_ended() = 0;                  // cancels its timers, and tells its owner
  virtual std::string_view how_lost() const = 0;  // "without DISCONNECT": for the log
  virtual LoggedConnection logged() const = 0;
  virtual LoggedTraffic messages() const = 0;  // how many; the rest is known here

  // --- input ---
  bool waiting() const { return waits_ != 0; }
  void wait(Wait reason);
  void wait_no_more(Wait reason);
  void wait_for_nothing();  // what is held is handled
  void hold(Bytes input, Chunk* chunk) { held_.hold(input, chunk); }

  // --- logging in ---
  // After the delay that earlier failures cost. Waits until then.
  void authenticate(node::Credentials credentials);

  // --- output ---
  void after_output() {
    ask_turn_end();
    if (output_.unsent_bytes() > output_high_bytes) [[unlikely]]
      on_output_high();
  }
  void ask_turn_end() {
    if (turn_end_asked_) return;
    turn_end_asked_ = true;
    client_.at_turn_end(*this);
  }
  // A large body goes out here; what is written from now on comes behind it. `of`: the protocol's own.
  void begin_body(node::BodyNumber body, std::uint64_t bytes, std::uint32_t of = 0);
  bool sends_bodies() const { return !bodies_.empty(); }

  // --- publishing ---
  void note_published() {
    published_ = true;
    if (!publish_open_) [[unlikely]]
      apply_publish_flow();
  }
  bool publishing_stopped() const { return !publish_open_ && published_; }
  const std::string& alarm() const { return alarm_; }

  // --- the end ---
  bool has_session() const { return session_ != nullptr && !session_ending_; }
  void release_session();
  void end();
  void end_in(std::uint32_t delay_ms) { client_.timers().arm(deadline_, delay_ms); }
  void no_deadline() { client_.timers().cancel(deadline_); }
  void note_end(LogLevel level, std::string reason);  // the first one counts

  // --- for those who look ---
  Counters<node::ConnectionCount> counts() const;
  void begin_meter() { meter_.begin(counts(), now_ms()); }
  // "blocking" would block as soon as it published; "flow": the publishes that it makes wait for those before.
  void describe_traffic(node::ConnectionFacts& facts) const;
  void sample_traffic() { meter_.sample(counts(), now_ms()); }
  std::uint64_t now_ms() const { return client_.clock().monotonic_ns() / 1'000'000; }
  std::uint64_t received_bytes() const { return received_bytes_; }
  // Something came since the last call; also while its socket is not read: nothing can be known of the peer then.
  bool heard();
  // Nothing was sent since the last call, and nothing is about to be.
  bool silent();
  void not_silent_by(std::uint64_t bytes) { sent_bytes_before_ += bytes; }

  node::BrokerClient& client_;
  const std::unique_ptr<runtime::ByteStream> stream_;
  Output output_;
  std::string user_, vhost_;
  std::string_view mechanism_;
  node::Identity identity_;  // until the session is open
  std::unique_ptr<node::Session> session_;

 private:
  struct OutgoingBody {
    node::BodyNumber body = node::no_body;
    std::uint64_t left_bytes = 0;  // not written yet
    std::uint32_t of = 0;
    unsigned asked = 0;  // pieces that have not come yet
  };
  void take_input(Bytes input, Chunk* chunk);
  void resume_input();
  void resume_reading();
  void log_in();
  void on_authenticated(Result<node::Identity> identity);
  void on_output_high();
  void be_congested();
  void flush_output();
  void ask_for_pieces();
  void drop_bodies();
  void on_resume();
  void on_deadline_timer() { on_deadline(); }
  void log_end() const;

  LoginDelays& login_delays_;
  HeldInput held_;
  std::uint8_t waits_ = 0;
  bool paused_ = false;          // the stream
  bool handling_input_ = false;  // on the stack
  bool turn_end_asked_ = false, write_blocked_ = false;
  bool congested_ = false;       // the session was told
  bool session_ending_ = false;  // destroyed at the end of the turn
  bool ended_ = false;
  bool authenticating_ = false;
  bool published_ = false, publish_open_ = true;
  std::string alarm_;
  Fifo<OutgoingBody> bodies_;
  node::Credentials credentials_;  // until they are looked at
  std::unique_ptr<node::Authentication> authentication_;
  std::uint64_t received_bytes_ = 0, received_bytes_before_ = 0, sent_bytes_before_ = 0;
  std::uint64_t reads_ = 0, writes_ = 0;
  std::uint64_t opened_ns_ = 0;
  LogLevel end_level_ = LogLevel::info;
  std::string end_reason_;
  Meter<node::ConnectionCount> meter_;
  runtime::MethodTimer<ClientConnection, &ClientConnection::on_deadline_timer> deadline_{*this};
  runtime::MethodTimer<ClientConnection, &ClientConnection::on_resume> resume_{*this};
  runtime::MethodTimer<ClientConnection, &ClientConnection::log_in> login_{*this};
};

}  // namespace weir
