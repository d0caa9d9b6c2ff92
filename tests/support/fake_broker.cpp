#include "support/fake_broker.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "broker/decide.h"
#include "broker/message.h"
#include "node/reply_address.h"
#include "node/walk.h"

namespace weir::test {

namespace {

class NoHeaders final : public broker::HeaderSource {
 public:
  const broker::Table& headers() override { return none_; }

 private:
  broker::Table none_;
};

// Destroying it cancels the answer.
class FakeAuthentication final : public node::Authentication {
 public:
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

}  // namespace

class FakeSession final : public node::Session {
 public:
  FakeSession(FakeBroker& broker, SessionId id, node::SessionInfo info, node::SessionEvents& events)
      : broker_(broker), id_(id), info_(std::move(info)), events_(events) {
    broker_.sessions_.insert(this);
  }
  ~FakeSession() override;

  SessionId id() const override { return id_; }
  const node::SessionInfo& info() const override { return info_; }

  Status authorize(broker::Access access, broker::DestinationKind kind,
                   std::string_view resource) const override {
    return broker_.topology_.authorize(info_.user, info_.vhost, access, resource, kind);
  }
  Status renew(std::string_view) override {
    if (broker_.secrets_refused_) return fail(ErrorCode::access_refused, "no");
    return {};
  }
  Status open_channel(std::uint32_t) override { return {}; }
  void close_channel(std::uint32_t) override {}
  Result<node::PublishResult> publish(const node::Publish& publish) override;
  std::unique_ptr<node::Transaction> begin_transaction() override;
  void commit(std::unique_ptr<node::Transaction> transaction, node::PublisherNumber publisher,
              std::uint64_t seq) override;
  Result<node::BodyBegun> begin_body(const node::Publish& publish) override;
  void append_body(node::BodyNumber body, Bytes piece, Chunk*) override {
    bodies_.at(body).insert(bodies_.at(body).end(), piece.begin(), piece.end());
  }
  void finish_body(node::BodyNumber body, const node::Publish& publish) override;
  void abort_body(node::BodyNumber body) override { bodies_.erase(body); }
  void read_body(node::BodyNumber) override { WEIR_UNREACHABLE(); }  // it delivers every message as a whole
  void close_body(node::BodyNumber) override { WEIR_UNREACHABLE(); }
  void close_publisher(node::PublisherNumber publisher) override { publishers_.erase(publisher); }
  void consume(node::ConsumeOptions options) override;
  void cancel(node::ConsumerNumber consumer) override;
  void drop_consumer(node::ConsumerNumber consumer) override;
  void set_prefetch(node::ConsumerNumber, std::uint32_t) override {}
  void set_pool_prefetch(node::PoolNumber pool, std::uint32_t prefetch) override;
  void join_pool(node::ConsumerNumber consumer, node::PoolNumber pool) override;
  void add_pool_out(node::PoolNumber pool, std::int64_t count) override;
  void drop_pool(node::PoolNumber pool) override { pools_.erase(pool); }
  void get(std::string queue, bool no_ack, std::uint32_t channel) override;
  void walk(node::WalkOptions) override {  // nobody has a front-end that walks, but for the API
    reply(fail(ErrorCode::not_implemented, "no walks"));
  }
  void settle(node::ConsumerNumber consumer, QueueId queue, Seq seq, node::Outcome outcome) override;
  void set_congested(bool congested) override;
  std::string make_reply_key(node::ConsumerNumber consumer) override;
  void drop_reply_key(node::ConsumerNumber consumer) override;
  void probe_reply_key(std::string key) override;
  void declare_exchange(broker::DeclareExchange request) override { define(std::move(request)); }
  void delete_exchange(broker::DeleteExchange request) override { define(std::move(request)); }
  void declare_queue(broker::DeclareQueue request) override;
  void delete_queue(std::string queue, bool if_unused, bool if_empty) override;
  void purge_queue(std::string queue) override;
  void bind(broker::BindingDefinition binding) override { define(broker::Bind{std::move(binding)}); }
  void unbind(broker::BindingDefinition binding) override { define(broker::Unbind{std::move(binding)}); }

  bool tell_confirms();
  node::SessionEvents& events() { return events_; }
  // True: it is one of the session's, which took the message.
  bool take_reply(const std::string& key, const node::Publish& publish);
  bool pool_is_full(node::PoolNumber number) const {
    const auto at = pools_.find(number);
    return at != pools_.end() && at->second.limit != 0 && at->second.out >= at->second.limit;
  }
  void note_delivered(node::PoolNumber number) {
    if (const auto at = pools_.find(number); at != pools_.end()) ++at->second.out;
  }
  bool congested() const { return congested_; }

 private:
  struct Publisher {
    std::uint64_t published = 0, told = 0;
  };
  struct Pool {
    std::int64_t limit = 0, out = 0;
  };
  // Reached by a routing key: each queue once.
  Status route(const node::Publish& publish, std::vector<broker::Target>& targets);
  // False: one of the queues was full.
  bool put(const node::Publish& publish, const std::vector<broker::Target>& targets);
  void deliver_all();

  Result<broker::Decision> decide(const broker::Request& request) {
    return broker::decide(broker_.topology_, {info_.user, id_}, request, {1, broker_.next_random_++});
  }
  void define(broker::Request request);
  // Null when it replied with an error.
  FakeBroker::Queue* usable(const std::string& name, QueueId& id);
  void reply(node::Reply reply) { broker_.reply(*this, std::move(reply)); }

  FakeBroker& broker_;
  SessionId id_;
  node::SessionInfo info_;
  node::SessionEvents& events_;
  std::map<node::PublisherNumber, Publisher> publishers_;
  std::map<node::PoolNumber, Pool> pools_;
  std::map<std::string, node::ConsumerNumber> reply_keys_;
  std::map<node::BodyNumber, std::vector<std::byte>> bodies_;  // begun, not finished
  node::BodyNumber last_body_ = node::no_body;
  bool congested_ = false;
};

// --- the session ---

FakeSession::~FakeSession() {
  for (auto& [id, queue] : broker_.queues_) {
    std::erase_if(queue.consumers, [this](const auto& consumer) { return consumer.session == this; });
    for (auto at = queue.unacked.begin(); at != queue.unacked.end();) {
      if (at->second.holder != this) {
        ++at;
        continue;
      }
      ++broker_.unsettled_at_end_;
      at->second.redelivered = true;
      queue.ready.insert(queue.unacked.extract(at++));
    }
  }
  broker_.sessions_.erase(this);
  if (auto decision = decide(broker::EndSession{id_})) broker_.apply(decision->changes);
}

Status FakeSession::route(const node::Publish& publish, std::vector<broker::Target>& targets) {
  WEIR_TRY(
      broker_.topology_.authorize(info_.user, info_.vhost, broker::Access::write, publish.message.exchange));
  NoHeaders none;
  broker::HeaderSource& headers = publish.headers != nullptr ? *publish.headers : none;
  std::vector<std::string_view> keys{publish.message.routing_key};
  keys.insert(keys.end(), publish.more_keys.begin(), publish.more_keys.end());
  for (const std::string_view key : keys) {
    const auto takes = [&](FakeSession* session) { return session->take_reply(std::string(key), publish); };
    if (publish.message.exchange.empty() && std::ranges::any_of(broker_.sessions_, takes)) continue;
    WEIR_TRY(broker_.topology_.route(info_.vhost, publish.message.exchange, key, headers, true, targets));
  }
  std::ranges::sort(targets, {}, &broker::Target::queue);
  const auto same = std::ranges::unique(targets, {}, &broker::Target::queue);
  targets.erase(same.begin(), same.end());
  return {};
}

bool FakeSession::put(const node::Publish& publish, const std::vector<broker::Target>& targets) {
  bool taken = true;
  for (const broker::Target& target : targets) {
    FakeBroker::Queue& queue = broker_.queues_[target.queue];
    taken = taken && !queue.full;
    if (queue.full) continue;
    auto envelope = ChunkRef::adopt(Chunk::make(broker::envelope_bytes(publish.message)));
    broker::encode_envelope(publish.message, broker_.clock_.wall_ms(), envelope->data());
    queue.ready.emplace(queue.next_seq++,
                        FakeBroker::Stored{std::move(envelope), false, nullptr, node::no_consumer});
  }
  return taken;
}

Result<node::PublishResult> FakeSession::publish(const node::Publish& publish) {
  std::vector<broker::Target> targets;
  WEIR_TRY(route(publish, targets));
  const bool taken = put(publish, targets);
  if (publish.seq != 0) {
    WEIR_ASSERT(publish.seq == publishers_[publish.publisher].published + 1);
    publishers_[publish.publisher].published = publish.seq;
    if (!taken) events_.on_rejected(publish.publisher, publish.seq, publish.seq);
  }
  for (const broker::Target& target : targets) broker_.deliver(target.queue);
  return targets.empty() ? node::PublishResult::unroutable : node::PublishResult::routed;
}

// Holds calls, to be made at the commit.
class FakeTransaction final : public node::Transaction {
 public:
  using Publish = std::function<Result<node::PublishResult>(const node::Publish&)>;
  explicit FakeTransaction(Publish publish) : publish_(std::move(publish)) {}

  Result<node::PublishResult> publish(const node::Publish& publish, node::OnShards*) override {
    return publish_(publish);
  }
  Status settle(node::ConsumerNumber consumer, QueueId queue, Seq seq, node::Outcome outcome) override {
    settles.push_back({consumer, queue, seq, outcome});
    return {};
  }

  struct Settle {
    node::ConsumerNumber consumer;
    QueueId queue;
    Seq seq;
    node::Outcome outcome;
  };
  std::vector<Settle> settles;
  std::vector<std::function<bool()>> puts;

 private:
  Publish publish_;
};

std::unique_ptr<node::Transaction> FakeSession::begin_transaction() {
  auto self = std::make_shared<FakeTransaction*>(nullptr);
  auto made = std::make_unique<FakeTransaction>(
      [this, self](const node::Publish& publish) -> Result<node::PublishResult> {
        std::vector<broker::Target> targets;
        WEIR_TRY(route(publish, targets));
        auto envelope = ChunkRef::adopt(Chunk::make(broker::envelope_bytes(publish.message)));
        broker::encode_envelope(publish.message, broker_.clock_.wall_ms(), envelope->data());
        (*self)->puts.push_back([this, targets, envelope] {
          bool taken = true;
          for (const broker::Target& target : targets) {
            FakeBroker::Queue& queue = broker_.queues_[target.queue];
            taken = taken && !queue.full;
            if (queue.full) continue;
            queue.ready.emplace(queue.next_seq++,
                                FakeBroker::Stored{envelope, false, nullptr, node::no_consumer});
          }
          return taken;
        });
        return targets.empty() ? node::PublishResult::unroutable : node::PublishResult::routed;
      });
  *self = made.get();
  return made;
}

void FakeSession::commit(std::unique_ptr<node::Transaction> transaction, node::PublisherNumber publisher,
                         std::uint64_t seq) {
  auto& work = static_cast<FakeTransaction&>(*transaction);
  bool taken = true;
  for (const auto& put_one : work.puts) taken = put_one() && taken;
  for (const auto& one : work.settles) settle(one.consumer, one.queue, one.seq, one.outcome);
  WEIR_ASSERT(seq == publishers_[publisher].published + 1);
  publishers_[publisher].published = seq;
  deliver_all();
  if (!taken) events_.on_rejected(publisher, seq, seq);
}

void FakeSession::deliver_all() {
  std::vector<QueueId> all;
  for (const auto& [id, queue] : broker_.queues_) all.push_back(id);
  for (const QueueId id : all) broker_.deliver(id);
}

// --- direct replies and shared prefetches ---

std::string FakeSession::make_reply_key(node::ConsumerNumber consumer) {
  std::string key = std::string(node::reply_queue) + "." + std::to_string(broker_.next_random_++);
  reply_keys_[key] = consumer;
  return key;
}

void FakeSession::drop_reply_key(node::ConsumerNumber consumer) {
  std::erase_if(reply_keys_, [&](const auto& one) { return one.second == consumer; });
}

void FakeSession::probe_reply_key(std::string key) {
  const auto has = [&](const FakeSession* session) { return session->reply_keys_.contains(key); };
  if (std::ranges::any_of(broker_.sessions_, has)) return reply(node::QueueStatus{key, QueueId{}, 0, 1});
  reply(fail(ErrorCode::not_found, "nobody"));
}

bool FakeSession::take_reply(const std::string& key, const node::Publish& publish) {
  const auto at = reply_keys_.find(key);
  if (at == reply_keys_.end()) return false;
  auto envelope = ChunkRef::adopt(Chunk::make(broker::envelope_bytes(publish.message)));
  broker::encode_envelope(publish.message, broker_.clock_.wall_ms(), envelope->data());
  events_.on_delivery(
      {at->second, false, QueueId{}, Seq{}, broker::view_envelope(envelope->data()), envelope.get()});
  return true;
}

void FakeSession::set_pool_prefetch(node::PoolNumber pool, std::uint32_t prefetch) {
  pools_[pool].limit = prefetch;
  deliver_all();
}

void FakeSession::join_pool(node::ConsumerNumber number, node::PoolNumber pool) {
  for (auto& [id, queue] : broker_.queues_) {
    for (auto& consumer : queue.consumers) {
      if (consumer.session != this || consumer.number != number || consumer.no_ack) continue;
      consumer.pool = pool;
      pools_[pool].out += consumer.unacked;
    }
  }
}

void FakeSession::add_pool_out(node::PoolNumber pool, std::int64_t count) {
  if (!pools_.contains(pool)) return;
  pools_[pool].out += count;
  WEIR_ASSERT(pools_[pool].out >= 0);
  deliver_all();
}

Result<node::BodyBegun> FakeSession::begin_body(const node::Publish& publish) {
  std::vector<broker::Target> targets;
  WEIR_TRY(route(publish, targets));
  if (targets.empty()) return node::BodyBegun{};
  bodies_[++last_body_];
  return node::BodyBegun{last_body_, node::PublishResult::routed};
}

void FakeSession::finish_body(node::BodyNumber body, const node::Publish& without) {
  const std::vector<std::byte> bytes = bodies_[body];
  bodies_.erase(body);
  WEIR_ASSERT(body == node::no_body || bytes.size() == without.message.body_bytes);
  const Bytes piece(bytes);
  node::Publish whole = without;
  whole.message.body = {&piece, 1};
  whole.message.body_bytes = bytes.size();
  WEIR_ASSERT(publish(whole).has_value());
}

bool FakeSession::tell_confirms() {
  bool any = false;
  for (auto& [number, publisher] : publishers_) {
    if (publisher.told == publisher.published) continue;
    any = true;
    publisher.told = publisher.published;
    events_.on_confirmed(number, publisher.told);
  }
  return any;
}

FakeBroker::Queue* FakeSession::usable(const std::string& name, QueueId& id) {
  broker::DeclareQueue passive;
  passive.vhost = info_.vhost;
  passive.name = name;
  passive.passive = true;
  const auto found = decide(passive);
  if (!found) {
    reply(std::unexpected(found.error()));
    return nullptr;
  }
  id = found->queue;
  return &broker_.queues_[id];
}

void FakeSession::consume(node::ConsumeOptions options) {
  QueueId id;
  FakeBroker::Queue* const queue = usable(options.queue, id);
  if (queue == nullptr) return;
  const auto exclusive = [](const auto& consumer) { return consumer.exclusive; };
  if (std::ranges::any_of(queue->consumers, exclusive) || (options.exclusive && !queue->consumers.empty())) {
    return reply(
        fail(ErrorCode::access_refused, "queue '" + queue->name + "' in vhost '/' in exclusive use"));
  }
  queue->consumers.push_back(
      {this, options.consumer, options.no_ack, options.exclusive, options.prefetch, 0, options.pool});
  reply(node::Consuming{options.consumer});
  broker_.deliver(id);
}

void FakeSession::cancel(node::ConsumerNumber consumer) {
  drop_consumer(consumer);
  reply(node::Cancelled{consumer});
}

void FakeSession::drop_consumer(node::ConsumerNumber consumer) {
  for (auto& [id, queue] : broker_.queues_) {
    std::erase_if(queue.consumers,
                  [&](const auto& one) { return one.session == this && one.number == consumer; });
  }
}

void FakeSession::get(std::string name, bool no_ack, std::uint32_t) {
  QueueId id;
  FakeBroker::Queue* const queue = usable(name, id);
  if (queue == nullptr) return;
  if (queue->ready.empty()) return reply(node::Got{});
  auto taken = queue->ready.extract(queue->ready.begin());
  const std::uint64_t seq = taken.key();
  const ChunkRef envelope = taken.mapped().envelope;
  const bool redelivered = taken.mapped().redelivered;
  if (!no_ack) {
    taken.mapped().holder = this;
    taken.mapped().consumer = node::no_consumer;
    queue->unacked.insert(std::move(taken));
  }
  node::Got got;
  got.messages_left = queue->ready.size();
  got.delivery = node::Delivery{
      node::no_consumer, redelivered, id, Seq{seq}, broker::view_envelope(envelope->data()), envelope.get()};
  events_.on_reply(std::move(got));
}

void FakeSession::settle(node::ConsumerNumber consumer, QueueId id, Seq seq, node::Outcome outcome) {
  const auto at = broker_.queues_.find(id);
  if (at == broker_.queues_.end()) return;
  FakeBroker::Queue& queue = at->second;
  const auto found = queue.unacked.find(seq.value);
  WEIR_ASSERT(found != queue.unacked.end() && found->second.holder == this);
  WEIR_ASSERT(found->second.consumer == consumer);
  auto taken = queue.unacked.extract(found);
  for (auto& one : queue.consumers) {
    if (one.session == this && one.number == consumer) --one.unacked;
  }
  if (outcome == node::Outcome::requeue || outcome == node::Outcome::failed) {
    taken.mapped().redelivered = true;
    taken.mapped().holder = nullptr;
    queue.ready.insert(std::move(taken));
  }
  broker_.deliver(id);
}

void FakeSession::set_congested(bool congested) {
  congested_ = congested;
  if (!congested) deliver_all();
}

void FakeSession::define(broker::Request request) {
  const auto decision = decide(request);
  if (!decision) return reply(std::unexpected(decision.error()));
  broker_.apply(decision->changes);
  reply(node::Done{});
}

void FakeSession::declare_queue(broker::DeclareQueue request) {
  const auto decision = decide(request);
  if (!decision) return reply(std::unexpected(decision.error()));
  broker_.apply(decision->changes);
  const FakeBroker::Queue& queue = broker_.queues_[decision->queue];
  reply(node::QueueStatus{decision->queue_name, decision->queue, queue.ready.size(),
                          static_cast<std::uint32_t>(queue.consumers.size())});
}

void FakeSession::delete_queue(std::string name, bool if_unused, bool if_empty) {
  QueueId id;
  FakeBroker::Queue* const queue = usable(name, id);
  if (queue == nullptr) return;
  if (if_unused && !queue->consumers.empty()) {
    return reply(fail(ErrorCode::precondition_failed, "queue '" + name + "' in vhost '/' in use"));
  }
  if (if_empty && !queue->ready.empty()) {
    return reply(fail(ErrorCode::precondition_failed, "queue '" + name + "' in vhost '/' not empty"));
  }
  const std::size_t messages = queue->ready.size();
  const auto decision = decide(broker::DeleteQueue{info_.vhost, name});
  if (!decision) return reply(std::unexpected(decision.error()));
  broker_.apply(decision->changes);
  reply(node::Deleted{messages});
}

void FakeSession::purge_queue(std::string name) {
  QueueId id;
  FakeBroker::Queue* const queue = usable(name, id);
  if (queue == nullptr) return;
  const std::size_t messages = queue->ready.size();
  queue->ready.clear();
  reply(node::Purged{messages});
}

// --- the broker ---

FakeBroker::FakeBroker() {
  add_vhost("/");
  add_user("guest", "guest");
  permit("guest", "/", ".*", ".*", ".*");
}

FakeBroker::~FakeBroker() { WEIR_ASSERT(sessions_.empty()); }

void FakeBroker::add_vhost(const std::string& name) {
  std::vector<broker::Change> changes;
  broker::new_vhost_changes(name, changes);
  apply(changes);
}

void FakeBroker::add_user(const std::string& name, const std::string& password) {
  passwords_[name] = password;
  apply({broker::PutUser{{name, "", {}}}});
}

void FakeBroker::permit(const std::string& user, const std::string& vhost, const std::string& configure,
                        const std::string& write, const std::string& read) {
  apply({broker::PutPermission{{user, vhost, configure, write, read}}});
}

void FakeBroker::apply(const std::vector<broker::Change>& changes) {
  for (const broker::Change& change : changes) {
    topology_.apply(change);
    if (const auto* put = std::get_if<broker::PutQueue>(&change)) {
      queues_[put->queue.id].vhost = put->queue.vhost;
      queues_[put->queue.id].name = put->queue.name;
    }
    if (const auto* removed = std::get_if<broker::RemoveQueue>(&change)) drop(removed->id);
  }
}

void FakeBroker::drop(QueueId id) {
  const auto at = queues_.find(id);
  if (at == queues_.end()) return;
  const std::vector<Consumer> consumers = std::move(at->second.consumers);
  queues_.erase(at);
  for (const Consumer& consumer : consumers) {
    consumer.session->events().on_consumer_cancelled(consumer.number, node::CancelReason::queue_deleted);
  }
}

void FakeBroker::remove_queue(const std::string& vhost, const std::string& name) {
  const broker::QueueDefinition* const queue = topology_.find_queue(vhost, name);
  WEIR_ASSERT(queue != nullptr);
  apply({broker::RemoveQueue{vhost, name, queue->id}});
}

// One message after the other to whoever may have it; a delivery may do anything, so that all is looked up anew.
void FakeBroker::deliver(QueueId id) {
  for (;;) {
    const auto at = queues_.find(id);
    if (at == queues_.end() || at->second.ready.empty()) return;
    Queue& queue = at->second;
    const auto ready = std::ranges::find_if(queue.consumers, [](const Consumer& consumer) {
      return (consumer.prefetch == 0 || consumer.no_ack || consumer.unacked < consumer.prefetch) &&
             !consumer.session->congested() &&
             (consumer.no_ack || !consumer.session->pool_is_full(consumer.pool));
    });
    if (ready == queue.consumers.end()) return;
    Consumer to = *ready;
    // The next one is served next.
    std::rotate(ready, ready + 1, queue.consumers.end());
    auto taken = queue.ready.extract(queue.ready.begin());
    const std::uint64_t seq = taken.key();
    const ChunkRef envelope = taken.mapped().envelope;
    const bool redelivered = taken.mapped().redelivered;
    if (!to.no_ack) {
      ++queue.consumers.back().unacked;
      to.session->note_delivered(to.pool);
      taken.mapped().holder = to.session;
      taken.mapped().consumer = to.number;
      queue.unacked.insert(std::move(taken));
    }
    to.session->events().on_delivery(
        {to.number, redelivered, id, Seq{seq}, broker::view_envelope(envelope->data()), envelope.get()});
  }
}

void FakeBroker::reply(FakeSession& session, node::Reply reply) {
  if (!replies_held_) return session.events().on_reply(std::move(reply));
  held_replies_.emplace_back(session.id().value, std::move(reply));
}

void FakeBroker::hold_replies(bool hold) {
  replies_held_ = hold;
  while (!replies_held_ && !held_replies_.empty()) {
    auto [id, reply] = std::move(held_replies_.front());
    held_replies_.pop_front();
    const auto to = std::ranges::find_if(
        sessions_, [&](const FakeSession* session) { return session->id().value == id; });
    if (to != sessions_.end()) (*to)->events().on_reply(std::move(reply));
  }
}

std::unique_ptr<node::Authentication> FakeBroker::authenticate(
    node::Credentials credentials, std::function<void(Result<node::Identity>)> done) {
  auto pending = std::make_unique<FakeAuthentication>();
  const auto known = passwords_.find(credentials.user);
  Result<node::Identity> identity = node::Identity{credentials.user, {}};
  if (known == passwords_.end() || (!credentials.vouched && known->second != credentials.password)) {
    identity = fail(ErrorCode::access_refused, "wrong password");
  } else if (credentials.user == "guest" && !credentials.loopback) {
    identity = fail(ErrorCode::access_refused, "guest may connect from the loopback only");
  }
  if (!passwords_held_) {
    done(std::move(identity));
  } else {
    held_passwords_.emplace_back(pending->alive, [done = std::move(done), identity] { done(identity); });
  }
  return pending;
}

void FakeBroker::hold_passwords(bool hold) {
  passwords_held_ = hold;
  if (hold) return;
  for (const auto& [alive, tell] : std::exchange(held_passwords_, {})) {
    if (!alive.expired()) tell();
  }
}

Result<std::unique_ptr<node::Session>> FakeBroker::open_session(node::SessionInfo info,
                                                                node::SessionEvents& events) {
  WEIR_TRY(topology_.authorize_vhost(info.user, info.vhost));
  auto session = std::make_unique<FakeSession>(*this, SessionId{next_session_++}, std::move(info), events);
  if (!flow_open_) events.on_publish_flow(false, alarm_);
  return session;
}

bool FakeBroker::end_turn() {
  bool any = !hooks_.empty();
  if (!confirms_held_) {
    const std::set<FakeSession*> sessions = sessions_;
    for (FakeSession* session : sessions) any = session->tell_confirms() || any;
  }
  hooks_.run();
  return any;
}

void FakeBroker::advance_ms(std::uint64_t by) {
  clock_.advance_ms(by);
  timers_.advance(clock_.monotonic_ns() / 1'000'000);
}

void FakeBroker::set_publish_flow(bool open, std::string_view alarm) {
  flow_open_ = open;
  alarm_ = std::string(alarm);
  const std::set<FakeSession*> sessions = sessions_;
  for (FakeSession* session : sessions) session->events().on_publish_flow(open, alarm_);
}

void FakeBroker::close_all(const Error& reason) {
  const std::set<FakeSession*> sessions = sessions_;
  for (FakeSession* session : sessions) session->events().on_close_wanted(reason);
}

std::unique_ptr<node::Observing> FakeBroker::observe(node::ObserveScope,
                                                     std::function<void(node::Observed&&)>) {
  return std::make_unique<node::Observing>();
}

void FakeBroker::close_session(SessionId id, Error reason) {
  const std::set<FakeSession*> sessions = sessions_;
  for (FakeSession* session : sessions) {
    if (session->id() == id) session->events().on_close_wanted(reason);
  }
}

void FakeBroker::count_error(node::Protocol, std::uint32_t code, bool of_connection) {
  ++errors[{code, of_connection}];
}

const FakeBroker::Queue* FakeBroker::find(const std::string& name) const {
  const broker::QueueDefinition* const queue = topology_.find_queue("/", name);
  return queue != nullptr ? &queues_.at(queue->id) : nullptr;
}

void FakeBroker::set_full(const std::string& name, bool full) {
  const broker::QueueDefinition* const queue = topology_.find_queue("/", name);
  WEIR_ASSERT(queue != nullptr);
  queues_[queue->id].full = full;
}

std::size_t FakeBroker::ready(const std::string& queue) const {
  const Queue* const found = find(queue);
  return found != nullptr ? found->ready.size() : 0;
}

std::size_t FakeBroker::unacked(const std::string& queue) const {
  const Queue* const found = find(queue);
  return found != nullptr ? found->unacked.size() : 0;
}

std::string FakeBroker::body(const std::string& queue, std::size_t index) const {
  const Queue* const found = find(queue);
  if (found == nullptr || index >= found->ready.size()) return {};
  const auto at = std::next(found->ready.begin(), static_cast<std::ptrdiff_t>(index));
  return std::string(as_text(broker::view_envelope(at->second.envelope->data()).body));
}

}  // namespace weir::test
