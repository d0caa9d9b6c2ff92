// What it is: a session with the broker for one call, as the user who makes it: what it may is decided as for any client.
// Shard: shard 0.
// Lifetime: whoever waits for an answer keeps it; the Api ends those that are left when the server stops.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "admin/call.h"
#include "node/session.h"
#include "protocol/common/plain_message.h"

namespace weir::admin {

class CallSession final : public std::enable_shared_from_this<CallSession>, private node::SessionEvents {
 public:
  // In the vhost of the call's path. Null: the call is refused.
  static std::shared_ptr<CallSession> open(Call& call);
  explicit CallSession(Call& call);
  CallSession(const CallSession&) = delete;
  CallSession& operator=(const CallSession&) = delete;
  ~CallSession();

  Call& call() { return *call_; }
  const std::string& vhost() const { return vhost_; }

  // False, and the call is refused: the user lacks the permission.
  bool may(broker::Access access, broker::DestinationKind kind, std::string_view name);

  // One request at a time, made by `ask`. `then` comes if it went well, while what it was given is valid; if not, the call
  // is refused (on_error).
  void request(const std::function<void(node::Session&)>& ask, std::function<void(node::ReplyValue&)> then);
  // `then`: whether it reached a queue, when it is safe.
  void publish(const PlainMessage& message, std::function<void(bool routed)> then);
  void settle(QueueId queue, Seq seq, node::Outcome outcome);

  // The first bytes of a large body, at most so many; the body is closed then.
  void read(node::BodyNumber body, std::size_t bytes_max, std::function<void(std::string)> then);

  // How errors are answered, where it is not by Call::refuse.
  std::function<void(Call&, const Error&)> on_error;

  void end();

 private:
  void on_reply(node::Reply reply) override;
  void on_confirmed(node::PublisherNumber publisher, std::uint64_t up_to) override;
  void on_rejected(node::PublisherNumber publisher, std::uint64_t first, std::uint64_t last) override;
  void on_delivery(const node::Delivery&) override {}
  void on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) override;
  void on_consumer_cancelled(node::ConsumerNumber, node::CancelReason) override {}
  void on_publish_flow(bool open, std::string_view alarm) override {
    alarm_ = open ? std::string_view() : alarm;
  }
  void on_close_wanted(const Error& reason) override;
  void fail(const Error& error);

  const std::shared_ptr<Call> call_;
  Api& api_;
  const std::string vhost_;
  std::unique_ptr<node::Session> session_;
  std::function<void(node::ReplyValue&)> then_;
  std::function<void(bool)> published_;
  struct Reading {
    std::size_t left = 0;
    std::string bytes;
    std::function<void(std::string)> then;
  };
  Reading body_;  // one at a time
  bool routed_ = false, rejected_ = false;
  std::string alarm_;  // publishing has to wait until it is over
};

}  // namespace weir::admin
