// What it is: copies of large bodies on their way from this shard to others, for dead letters: piece by piece, with a bound
// on what is on the way.
// Shard: that of the body.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/bodies.h"
#include "node/messages.h"
#include "node/outbox.h"

namespace weir::node {

class BodyCopies {
 public:
  // Told when all pieces were sent, for the messages that are to have them to follow, and then add_body_end; or that the
  // body can't be read: nothing is left of it there.
  using Done = std::function<void(Status status, BodyNumber body)>;

  BodyCopies(Bodies& bodies, Outbox& outbox, ShardId self) : bodies_(bodies), outbox_(outbox), self_(self) {}
  ~BodyCopies();

  // Of a body that is held; the copy holds it too.
  void begin(std::uint64_t end, std::vector<ShardId> shards, Done done);
  // Of pieces: Origin::publisher is not 0.
  void take_ack(const PublishAck& ack);

 private:
  struct Copy final : PieceWaiter {
    void on_piece(Result<BodyBytes> piece) override { owner->take_piece(*this, std::move(piece)); }

    BodyCopies* owner = nullptr;
    PublisherNumber number = 0;
    std::uint64_t end = 0;
    std::vector<ShardId> shards;
    Done done;
    std::uint32_t next = 0, pieces = 0;
    std::uint64_t on_way_bytes = 0;
    bool reading = false;
  };
  void go_on(Copy& copy);
  void take_piece(Copy& copy, Result<BodyBytes> piece);
  void finish(Copy& copy, Status status);

  Bodies& bodies_;
  Outbox& outbox_;
  ShardId self_;
  std::map<PublisherNumber, std::unique_ptr<Copy>> copies_;
  PublisherNumber last_ = 0;
};

}  // namespace weir::node
