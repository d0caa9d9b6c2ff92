// What it is: one AMQP channel: its methods, the message that is being published on it, its publisher confirms, its
// consumers' deliveries and what of them is not acknowledged.
// The methods are in one file per class: channel_methods.cpp, exchange_methods.cpp, queue_methods.cpp,
// basic_methods.cpp, transaction_methods.cpp; publishing.cpp and consuming.cpp hold what is done per message, replies.cpp
// what direct replies need; delivery_timeout.cpp looks after clients that don't acknowledge.
//
// Errors: a channel that fails sends channel.close, gives everything back and ignores what comes until close-ok; the
//   connection and its other channels go on. What closes the connection is told to it (Connection::fail).
// Lifetime: owned by its connection, which destroys it outside of its calls.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/chunk.h"
#include "base/meter.h"
#include "node/session.h"
#include "protocol/amqp091/channel_traces.h"
#include "protocol/amqp091/codec/methods.h"
#include "protocol/amqp091/consumers.h"
#include "protocol/amqp091/content_assembly.h"
#include "protocol/amqp091/delivery_ages.h"
#include "protocol/amqp091/routing_headers.h"
#include "protocol/amqp091/transaction.h"
#include "protocol/common/piece_buffer.h"
#include "protocol/common/unacked.h"
#include "runtime/timers.h"

namespace weir::amqp091 {

class Connection;

class Channel {
 public:
  Channel(Connection& connection, std::uint16_t number, node::PublisherNumber publisher);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  std::uint16_t number() const { return number_; }
  node::PublisherNumber publisher() const { return publisher_; }

  // --- what the client sends. `chunk` is where the bytes lie, null when they do not lie in one ---
  void on_method(Bytes payload);
  void on_content_header(Bytes payload);
  void on_body(Bytes payload, Chunk* chunk);
  // A body frame that comes in parts.
  void on_body_begin(std::size_t bytes);
  void on_body_part(Bytes part);
  void on_body_end();
  // Of the message that has begun.
  std::size_t announced_bytes() const { return content_.kept_bytes(); }
  // What it keeps of a large body, and: that goes on as it is.
  std::size_t buffered_bytes() const { return piece_.capacity(); }
  void give_up_buffer() {
    pass_piece_on();
    piece_.release();
  }
  // The bytes that it refers to are about to go.
  void detach_content() { content_.detach(); }

  // --- what the broker says ---
  void on_reply(node::Reply reply);
  void on_delivery(const Consumer& consumer, const node::Delivery& delivery);
  void on_consumer_cancelled(const Consumer& consumer);
  void on_confirmed(std::uint64_t up_to);
  void on_rejected(std::uint64_t first, std::uint64_t last);
  // At the end of a turn in which something was confirmed.
  void write_confirms();

  // Consumers go, what is unacknowledged goes back to its queue. The object stays until it is destroyed.
  void close_down();

  // --- for those who look: observation.cpp ---
  node::ChannelRow describe() const;
  const Counters<node::ChannelCount>& counts() const { return counts_; }
  void sample(std::uint64_t now_ms, std::uint64_t wall_ms);

 private:
  // What the session's one request in flight was made for.
  struct Request {
    enum class Kind : std::uint8_t {
      declare_exchange,
      delete_exchange,
      bind_exchange,
      unbind_exchange,
      declare_queue,
      bind_queue,
      unbind_queue,
      purge_queue,
      delete_queue,
      probe_replies,
      consume,
      cancel,
      get,
    };
    Kind kind;
    bool no_wait = false;
    MethodId culprit{};
    node::ConsumerNumber consumer = node::no_consumer;  // consume, cancel
    std::string consumer_tag{};                         // cancel
    bool no_ack = false;                                // get
    std::string name{};                                 // probe_replies
  };

  void handle(const ChannelOpen& method);
  void handle(const ChannelFlow& method);
  void handle(const ChannelClose& method);
  void handle(const AccessRequest& method);
  void handle(const ConfirmSelect& method);
  void handle(const TxSelect& method);
  void handle(const TxCommit& method);
  void handle(const TxRollback& method);
  void handle(const ExchangeDeclare& method);
  void handle(const ExchangeDelete& method);
  void handle(const ExchangeBind& method);
  void handle(const ExchangeUnbind& method);
  void handle(const QueueDeclare& method);
  void handle(const QueueBind& method);
  void handle(const QueueUnbind& method);
  void handle(const QueuePurge& method);
  void handle(const QueueDelete& method);
  void handle(const BasicQos& method);
  void handle(const BasicConsume& method);
  void handle(const BasicCancel& method);
  void handle(const BasicPublish& method);
  void handle(const BasicGet& method);
  void handle(const BasicAck& method);
  void handle(const BasicNack& method);
  void handle(const BasicReject& method);
  void handle(const BasicRecoverAsync& method);
  void handle(const BasicRecover& method);
  // What only a server sends, and what belongs on channel 0.
  template <typename M>
  void handle(const M&) {
    refuse(ReplyCode::command_invalid, "unimplemented method");
  }
  void on_method_while_closing(MethodId method);

  // Answers with the error and closes what dies with it. The culprit is the method that is being handled.
  void refuse(ReplyCode code, std::string_view text);
  void refuse(const Error& error);
  void refuse(const WireError& error);

  // To be followed by a call of the session that replies.
  void begin_request(Request request);
  void finish_request(const Request& request, node::ReplyValue& value);
  // Things that are not there are as good as deleted.
  static bool succeeds_without(Request::Kind kind);
  template <typename Ok>
  void confirm_request(const Request& request, const Ok& ok);
  void finish_get(const Request& request, node::Got& got);
  void finish_cancel(const Request& request);

  // False, and the channel closed, when the user may not.
  bool may_use_queue(broker::Access access, std::string_view queue);
  bool may_use_exchange(broker::Access access, std::string_view exchange);
  bool may_use(broker::Access access, broker::DestinationKind kind, std::string_view name);
  // "" means the queue declared last. Null, and the channel closed, when there is none.
  const std::string* queue_or_last(std::string_view queue);
  bool may_dead_letter(std::string_view queue, const broker::Table& arguments);
  // Checks that both ends may be bound, and fills in what bind and unbind have in common.
  template <typename M>
  bool read_queue_binding(const M& method, broker::BindingDefinition& binding);
  template <typename M>
  bool read_exchange_binding(const M& method, broker::BindingDefinition& binding);

  // basic_methods.cpp. Null: the channel or the connection has failed.
  const Consumer* add_consumer(const BasicConsume& method);

  // transaction_methods.cpp
  void begin_transaction();
  bool require_transaction();
  void roll_back();
  void write_commits();
  void fail_commit();
  bool hold_settlement(const Unacked& delivery, node::Outcome outcome);
  bool hold_return(ReturnedContent content);

  // replies.cpp
  void consume_replies(const BasicConsume& method);
  bool consumes_replies_as(std::string_view tag);
  void drop_reply_consumer();
  void declare_replies(const QueueDeclare& method);
  bool address_reply(Properties& properties);

  void publish_content();
  bool rewrite_properties(Bytes& raw);
  // What is to be published of the message that has come: its properties, as receivers see them. False: it was refused.
  bool prepare(Bytes& raw);
  // It, but for its body.
  node::Publish incoming(Bytes raw, broker::HeaderSource& headers);
  bool may_pass_on() const;
  bool begin_large_body();
  void take_large_body(Bytes part);
  void pass_piece_on();
  void finish_large_body();
  void end_content();
  void count_published(bool unroutable);
  bool properties_allowed(PropertiesView properties);
  bool return_content(Bytes raw_properties);
  void send_returned(const ReturnedContent& content);

  std::uint64_t delivery_timeout_ms(const broker::QueueDefinition* queue);
  void expect_deliveries_of(std::string_view queue);
  void note_unacked(const Unacked& delivery);
  void watch_deliveries();
  void on_timeout_due();
  template <AnyMethod M>
  void send_delivery(const M& method, const node::Delivery& delivery, bool settles);
  void trace_delivery(const node::Delivery& delivery, std::uint64_t tag, bool settles);
  void settle(const Unacked& delivery, node::Outcome outcome);
  void settle_tagged(std::uint64_t tag, bool multiple, node::Outcome outcome);
  void requeue_all(node::Outcome how);
  std::uint32_t prefetch() const;
  void share_prefetch(std::uint16_t count);

  node::Session& session();

  Connection& connection_;
  const std::uint16_t number_;
  const node::PublisherNumber publisher_;
  bool closing_ = false;  // we sent channel.close, or the connection goes
  MethodId culprit_{};    // the method that is being handled
  std::optional<Request> request_;
  Counters<node::ChannelCount> counts_;
  Meter<node::ChannelCount> meter_;
  std::uint64_t idle_since_ms_ = 0;  // wall clock; 0: something happened lately
  std::string last_queue_;           // declared
  std::string named_queue_;          // by the method that is being handled

  ContentAssembly content_;
  std::vector<std::byte> extras_;     // of the message that is being published
  RoutingHeaders routing_headers_;    // the same
  std::vector<std::byte> rewritten_;  // its properties, where they are not sent on as they came
  std::vector<std::byte> scratch_;    // properties of the message that is being delivered

  std::unique_ptr<ChannelTransaction> transaction_;  // null: not in transactional mode

  node::BodyNumber body_ = node::no_body;  // the large one that is being received
  Bytes body_properties_{};                // of its message
  PieceBuffer piece_;                      // of it

  bool confirming_ = false;
  std::uint64_t published_seq_ = 0;
  std::uint64_t confirmed_up_to_ = 0;  // by the broker
  std::uint64_t told_up_to_ = 0;       // the client, of everything below, acked or nacked
  bool confirms_due_ = false;

  std::map<std::string, node::ConsumerNumber, std::less<>> consumers_;  // by tag
  std::uint16_t prefetch_count_ = 0;
  std::uint16_t global_prefetch_count_ = 0;
  bool pooled_ = false;  // its consumers share a prefetch: the broker's pool has the publisher's number
  node::ConsumerNumber reply_consumer_ = node::no_consumer;  // of direct replies
  std::string reply_key_;
  std::uint64_t next_tag_ = 1;
  UnackedWindow unacked_;
  std::unique_ptr<ChannelTraces> traces_;  // null: nothing is traced
  DeliveryAges ages_;                      // of what is in it
  std::uint64_t least_timeout_ms_ = 0;     // of the queues that it gets deliveries of; 0: none has one
  runtime::MethodTimer<Channel, &Channel::on_timeout_due> timeout_{*this};
};

}  // namespace weir::amqp091
