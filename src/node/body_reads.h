// What it is: the pieces of large bodies that sessions have asked this shard for and not got yet.
// Shard: that of the bodies.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "node/bodies.h"
#include "node/messages.h"
#include "node/session_routes.h"

namespace weir::node {

class BodyReads {
 public:
  BodyReads(Bodies& bodies, SessionRoutes& routes) : bodies_(bodies), routes_(routes) {}

  void begin(SessionId session, const ReadBodyRequest& request) {
    reads_.push_back(std::make_unique<Read>(*this, session, request));
    bodies_.read(request.end, request.piece, *reads_.back());
  }
  // The session has ended.
  void cancel(SessionId session) {
    std::erase_if(reads_, [&](const auto& read) {
      if (read->session != session) return false;
      bodies_.cancel(*read);
      return true;
    });
  }

 private:
  struct Read final : PieceWaiter {
    Read(BodyReads& its_owner, SessionId its_session, const ReadBodyRequest& its_request)
        : owner(its_owner), session(its_session), request(its_request) {}
    void on_piece(Result<BodyBytes> piece) override { owner.end(*this, std::move(piece)); }

    BodyReads& owner;
    SessionId session;
    ReadBodyRequest request;
  };

  void end(const Read& read, Result<BodyBytes> piece) {
    BodyPieceRead answer{read.session, read.request.reader, read.request.piece, Bytes{}, {}};
    if (piece) {
      answer.piece = piece->bytes;
      answer.chunk = ChunkRef::share(piece->chunk);
    } else {
      answer.piece = std::unexpected(std::move(piece.error()));
    }
    std::erase_if(reads_, [&](const auto& known) { return known.get() == &read; });
    routes_.body_piece(std::move(answer));
  }

  Bodies& bodies_;
  SessionRoutes& routes_;
  std::vector<std::unique_ptr<Read>> reads_;
};

}  // namespace weir::node
