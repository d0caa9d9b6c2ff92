// What it is: messages of a queue that pass a test, published again somewhere else, as the user whose session it opens: moved
// or copied, within bounds; the next one goes on where this one ended.
//  - A message that is moved is out meanwhile, is settled when its copy is confirmed (routed, and synced where it lasts), and
//    returns to its place as it was when nobody takes the copy. Whatever ends in between, it is there once or twice.
//  - The copy has the same properties and body. What its arrival at a queue decides is decided anew (its time to live); of
//    what became of it as a dead letter nothing is forgotten.
// Shard: of the BrokerClient.
// Lifetime: ends before its BrokerClient. Destroyed before it has reported, it puts back what is out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "node/session.h"
#include "node/walk.h"

namespace weir::node {

struct MoveOptions {
  enum class To : std::uint8_t {
    exchange,
    queue,        // `exchange` is empty, and `routing_key` its name
    first_death,  // a dead letter's queue where it died first, or last
    last_death,
  };
  To to = To::exchange;
  std::string exchange;
  std::optional<std::string> routing_key;  // none: each message's own
  bool copies = false;                     // the originals stay
  // Its bounds are those of the whole. `what` and `count_only` count not.
  WalkOptions walk;
};

struct MoveReport {
  QueueId queue;
  Seq next, until;
  bool done = false;
  std::uint64_t looked_at = 0, found = 0, read_bytes = 0, bodies_unread = 0, unreadable = 0;
  std::uint64_t messages_there = 0;
  std::uint64_t moved = 0;          // confirmed
  std::uint64_t unroutable = 0;     // nobody takes them: they stay
  std::uint64_t rejected = 0;       // a queue had no room: they stay
  std::uint64_t without_death = 0;  // to be sent to where they died, but they did not: they stay
  std::string stopped;              // why it ended early; empty: it did not
};

class MessageMover final : private SessionEvents, private TurnHook {
 public:
  // `done` comes once, at the end of a turn, and may destroy the mover. An error: nothing was moved at all.
  MessageMover(BrokerClient& client, MoveOptions options, std::function<void(Result<MoveReport>)> done);
  ~MessageMover();
  MessageMover(const MessageMover&) = delete;
  MessageMover& operator=(const MessageMover&) = delete;

  // Errors of open_session, and access_refused: the user may not read the queue, or not write to the exchange.
  Status begin(SessionInfo info);

 private:
  void on_reply(Reply reply) override;
  void on_confirmed(PublisherNumber publisher, std::uint64_t up_to) override;
  void on_rejected(PublisherNumber publisher, std::uint64_t first, std::uint64_t last) override;
  void on_delivery(const Delivery&) override {}
  void on_body_piece(BodyNumber body, Result<BodyPiece> piece) override;
  void on_consumer_cancelled(ConsumerNumber, CancelReason) override {}
  void on_publish_flow(bool open, std::string_view alarm) override;
  void on_close_wanted(const Error& reason) override;

  void on_turn_end() override;

  void take_walked();
  void walk_on();
  bool bounded() const;
  void publish_on();
  // False: it goes on when its body has come.
  bool publish_one(WalkedMessage& message);
  bool publish_whole(const WalkedMessage& message);
  bool publish_large(WalkedMessage& message);
  void finish_large();
  // Null: it never died.
  const std::string* find_key(const WalkedMessage& message);
  template <typename Call>
  auto with_publish(const WalkedMessage& message, std::uint64_t seq, Call&& call);
  void stay(std::uint64_t& count);
  void close(WalkedMessage& message);
  void stop(std::string why);
  void consider_settling();
  bool settle_all(bool last);
  void put_back();
  void finish(Result<MoveReport> result);

  BrokerClient& client_;
  MoveOptions options_;
  std::function<void(Result<MoveReport>)> done_;
  std::unique_ptr<Session> session_;
  Rng rng_{1};
  MoveReport report_;
  bool walked_once_ = false;
  std::uint64_t began_ms_ = 0;
  WalkedRef walked_;               // the messages of one walk, which are published and settled together
  std::vector<bool> stays_;        // of them
  std::vector<std::size_t> sent_;  // which of them a publish is, from first_seq_ on
  std::size_t next_ = 0;           // to be published
  std::uint64_t first_seq_ = 1, seq_ = 0, confirmed_ = 0;
  bool settled_ = false;  // the last of them: that is being made durable
  bool flow_open_ = true;
  bool waits_for_flow_ = false;
  // A large body on its way through: of the message `next_`.
  BodyNumber writing_ = no_body;
  std::uint64_t left_bytes_ = 0;
  std::string key_;  // scratch
  std::optional<Result<MoveReport>> result_;
};

}  // namespace weir::node
