// What it is: one request on its way to its answer, and what whoever answers requests implements.
// Shard: the connection's.
// Lifetime: handlers keep an exchange for as long as they work on it; when its connection is gone, answering it does
//   nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/http/codec/message.h"
#include "runtime/stream.h"

namespace weir::http {

class Connection;

class Exchange {
 public:
  Exchange(Connection& connection, runtime::PeerInfo peer)
      : connection_(&connection), peer_(std::move(peer)) {}

  // Without its body until Handler::on_request.
  const Request& request() const { return request_; }
  const runtime::PeerInfo& peer() const { return peer_; }
  bool alive() const { return connection_ != nullptr; }

  // The answer to Handler::on_head: the body may come, if it is not larger.
  void expect_body(std::size_t bytes_max);
  // Once, in on_head or any time later. An answer to the head alone ends the connection if a body was announced.
  void reply(Response response);
  // After a reply in pieces, whenever `wanted` says that the last one is on its way: the next one.
  void more(std::string_view piece, bool last);
  // The rest cannot be told: the connection ends, which is how the client learns it.
  void give_up();
  std::function<void()> wanted;  // let go with the last piece, or when the connection is

  std::vector<Header> also;       // headers of the answer, whatever it will be
  std::shared_ptr<void> context;  // the handler's own; let go when the connection is, and with the answer

 private:
  friend class Connection;
  void leave() {
    connection_ = nullptr;
    context.reset();
    wanted = nullptr;
  }

  Connection* connection_;
  const runtime::PeerInfo peer_;
  Request request_;
};

class Handler {
 public:
  // A head has come: reply, or expect_body(), now or later. Every request passes here, with or without a body.
  virtual void on_head(const std::shared_ptr<Exchange>& exchange) = 0;
  // The request is there as a whole: reply, now or later.
  virtual void on_request(const std::shared_ptr<Exchange>& exchange) = 0;

 protected:
  ~Handler() = default;
};

}  // namespace weir::http
