// What it is: one client's connection: requests are read, handed to the Handler and answered one after the other, however
// many the client has sent ahead. While one is in work nothing is read, so that what is held is bounded.
// Shard: its BrokerClient's.
// Lifetime: owned by Connections, which destroys it at the end of the turn in which it ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "node/session.h"
#include "protocol/http/codec/request_parser.h"
#include "protocol/http/exchange.h"
#include "runtime/stream.h"
#include "runtime/timers.h"

namespace weir::http {

struct Settings {
  std::size_t head_bytes_max = 32U << 10;
  std::uint32_t head_ms_max =
      10'000;  // from the first byte of a head to its last, and from connecting to the first head
  std::uint32_t idle_ms_max = 60'000;  // between two requests
  // A body, and the client's reading of an answer, has to get on by so much in such a time.
  std::uint32_t progress_ms = 10'000;
  std::size_t progress_bytes = 16U << 10;
};

class ConnectionOwner {
 public:
  virtual void on_ended(Connection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : public runtime::StreamHandler {
 public:
  Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
             const Settings& settings, Handler& handler, ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void open();
  // Ends at once if no request is in work, otherwise when it is answered.
  void shut_down();
  void abort() { end(); }

  // --- from its exchange ---
  void expect_body(std::size_t bytes_max);
  void reply(Response response);
  void more(std::string_view piece, bool last);
  void give_up();

 private:
  enum class State : std::uint8_t { head, deciding, body, working, answering, ended };

  void on_readable() override;
  void on_writable() override;
  void on_closed(const Error& reason) override;

  void begin_head();
  void advance();
  bool read_message();
  void refuse(const Fault& fault);
  void send(const Response& response, bool keep_alive);
  void flush();
  void finish_answer();
  void care_for_input();
  void on_deadline();
  void end();

  node::BrokerClient& client_;
  const std::unique_ptr<runtime::ByteStream> stream_;
  const Settings& settings_;
  Handler& handler_;
  ConnectionOwner& owner_;
  RequestParser parser_;
  std::shared_ptr<Exchange> exchange_;  // in work
  State state_ = State::head;
  bool head_begun_ = true;   // the first one, by connecting
  bool in_pieces_ = false;   // the answer is not complete yet,
  bool asked_more_ = false;  // and its next piece is being made
  bool advancing_ = false, paused_ = false, stopping_ = false, end_after_answer_ = false;
  std::vector<std::byte> input_;
  std::size_t input_used_ = 0;
  std::string output_;
  std::size_t sent_ = 0;                  // of output_
  std::size_t bytes_since_deadline_ = 0;  // received or sent
  runtime::MethodTimer<Connection, &Connection::on_deadline> deadline_{*this};
};

}  // namespace weir::http
