// The requests of a simulated client, and what their answers say of the definitions.
#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "sim/sim_client.h"

namespace weir::sim {

namespace {

constexpr const char* exchanges[] = {"Xd0", "Xf0", "Xf1", "Xt0", "xd0", "xf0", "xt0"};
constexpr const char* given_exchanges[] = {"amq.fanout", "amq.topic", "amq.direct"};
constexpr const char* queues[] = {"d0", "d1", "d2", "d3", "d4", "d5", "a0", "t0", "t1"};
constexpr const char* keys[] = {"k.0", "k.1", "k.2", "k.#", "#", "*.1"};

std::string type_of(const std::string& exchange) {
  if (exchange[1] == 'd') return "direct";
  return exchange[1] == 'f' ? "fanout" : "topic";
}

}  // namespace

std::string_view SimClient::text_of(Kind kind) {
  constexpr std::string_view texts[] = {
      "nothing", "declare exchange", "delete exchange", "declare queue", "delete queue",
      "bind",    "unbind",           "purge",           "consume",       "cancel",
      "get"};
  return texts[static_cast<std::size_t>(kind)];
}

std::string SimClient::any_queue() {
  if (!exclusive_queues_.empty() && world_.rng.chance(1, 6)) return *exclusive_queues_.begin();
  return queues[world_.rng.below(std::size(queues))];
}

std::string SimClient::any_exchange() {
  if (world_.rng.chance(1, 3)) return given_exchanges[world_.rng.below(std::size(given_exchanges))];
  return exchanges[world_.rng.below(std::size(exchanges))];
}

// Mostly one request at a time has a name, so that its answer says what is there; now and then several have.
bool SimClient::free(const std::vector<std::string>& names) {
  const bool is_free = std::none_of(names.begin(), names.end(), [&](const std::string& name) {
    return world_.busy_names.contains(name) || world_.stale_names.contains(name);
  });
  if (is_free) return true;
  if (!world_.rng.chance(1, 8)) return false;
  world_.contested_names.insert(names.begin(), names.end());
  return true;
}

bool SimClient::contested(const Pending& pending) const {
  return std::any_of(pending.locked.begin(), pending.locked.end(),
                     [&](const std::string& name) { return world_.contested_names.contains(name); });
}

void SimClient::release_names(const Pending& pending) {
  for (const std::string& name : pending.locked) {
    if (const auto at = world_.busy_names.find(name); at != world_.busy_names.end())
      world_.busy_names.erase(at);
  }
}

void SimClient::begin(Pending pending, const std::function<void()>& call) {
  for (const std::string& name : pending.locked) world_.busy_names.insert(name);
  world_.note("client {} asks {}: queue '{}' exchange '{}' key '{}'", number_, text_of(pending.kind),
              pending.queue, pending.exchange, pending.key);
  pending_ = std::move(pending);
  call();
}

void SimClient::ask() {
  if (pending_.kind != Kind::none || session_ == nullptr || draining_) return;
  const std::uint64_t dice = world_.rng.below(100);
  if (dice < 8) return ask_declare_exchange();
  if (dice < 10) return ask_delete_exchange();
  if (dice < 26) return ask_declare_queue();
  if (dice < 29) return ask_delete_queue();
  if (dice < 45) return ask_binding(true);
  if (dice < 47) return ask_binding(false);
  if (dice < 51) return ask_purge();
  if (dice < 55) return ask_cancel();
  if (dice < 75) return ask_get();
  if (consumers_.size() < 4) {
    const auto prefetch = static_cast<std::uint32_t>(world_.rng.chance(1, 3) ? 0 : 1 + world_.rng.below(30));
    ask_consume(any_queue(), world_.rng.chance(1, 6), prefetch);
  }
}

void SimClient::furnish() {
  if (pending_.kind != Kind::none) return;
  const std::uint64_t dice = world_.rng.below(4);
  if (dice == 0) return ask_declare_exchange();
  if (dice == 1) return ask_declare_queue();
  ask_binding(true);
}

void SimClient::ask_declare_exchange() {
  Pending pending;
  pending.kind = Kind::declare_exchange;
  pending.exchange = exchanges[world_.rng.below(std::size(exchanges))];
  pending.locked = {"x/" + pending.exchange};
  if (!free(pending.locked)) return;
  broker::DeclareExchange request;
  request.vhost = "/";
  request.name = pending.exchange;
  request.type = type_of(pending.exchange);
  request.durable = name_lasts(pending.exchange);
  begin(pending, [&] { session_->declare_exchange(request); });
}

void SimClient::ask_delete_exchange() {
  Pending pending;
  pending.kind = Kind::delete_exchange;
  pending.exchange = exchanges[world_.rng.below(std::size(exchanges))];
  pending.locked = {"x/" + pending.exchange};
  if (!free(pending.locked)) return;
  begin(pending, [&] { session_->delete_exchange({"/", pending.exchange, false}); });
}

void SimClient::ask_declare_queue() {
  Pending pending;
  pending.kind = Kind::declare_queue;
  pending.queue = world_.rng.chance(1, 10) ? fmt::format("e{}", number_) : any_queue();
  pending.locked = {"q/" + pending.queue};
  if (!free(pending.locked)) return;
  broker::DeclareQueue request;
  request.vhost = "/";
  request.name = pending.queue;
  request.durable = name_lasts(pending.queue);
  request.auto_delete = pending.queue[0] == 'a';
  request.exclusive = pending.queue[0] == 'e';
  if (request.exclusive) exclusive_queues_.insert(pending.queue);
  begin(pending, [&] { session_->declare_queue(request); });
}

void SimClient::ask_delete_queue() {
  Pending pending;
  pending.kind = Kind::delete_queue;
  pending.queue = any_queue();
  pending.locked = {"q/" + pending.queue};
  if (!free(pending.locked)) return;
  if (const auto* queue = definition(pending.queue)) pending.queue_id = queue->id;
  const bool if_unused = world_.rng.chance(1, 4), if_empty = world_.rng.chance(1, 4);
  begin(pending, [&] { session_->delete_queue(pending.queue, if_unused, if_empty); });
}

void SimClient::ask_binding(bool bind) {
  Pending pending;
  pending.kind = bind ? Kind::bind : Kind::unbind;
  pending.queue = any_queue();
  pending.exchange = any_exchange();
  pending.key = keys[world_.rng.below(std::size(keys))];
  pending.locked = {"q/" + pending.queue, "x/" + pending.exchange};
  if (!free(pending.locked)) return;
  const broker::BindingDefinition binding{"/",           pending.exchange, broker::DestinationKind::queue,
                                          pending.queue, pending.key,      {}};
  begin(pending, [&] { bind ? session_->bind(binding) : session_->unbind(binding); });
}

void SimClient::ask_purge() {
  Pending pending;
  pending.kind = Kind::purge;
  pending.queue = any_queue();
  const auto* queue = definition(pending.queue);
  if (queue == nullptr) return;
  pending.queue_id = queue->id;
  pending.certain = world_.model.certainly_waiting(queue->id);
  begin(pending, [&] { session_->purge_queue(pending.queue); });
}

void SimClient::ask_consume(const std::string& name, bool no_ack, std::uint32_t prefetch) {
  Pending pending;
  pending.kind = Kind::consume;
  pending.queue = name;
  pending.no_ack = no_ack;
  pending.consumer = next_consumer_++;
  const auto* queue = definition(pending.queue);
  if (queue == nullptr) return;
  pending.queue_id = queue->id;
  world_.model.consume(queue->id);
  // Its first deliveries can come before the answer.
  consumers_[pending.consumer] = {name, queue->id, no_ack, prefetch, 0, {}, false};
  node::ConsumeOptions options;
  options.queue = name;
  options.consumer = pending.consumer;
  options.no_ack = no_ack;
  options.prefetch = prefetch;
  options.exclusive = !draining_ && world_.rng.chance(1, 20);
  begin(pending, [&] { session_->consume(options); });
}

void SimClient::ask_cancel() {
  if (consumers_.empty()) return;
  const auto at =
      std::next(consumers_.begin(), static_cast<std::ptrdiff_t>(world_.rng.below(consumers_.size())));
  Pending pending;
  pending.kind = Kind::cancel;
  pending.queue = at->second.queue;
  pending.consumer = at->first;
  begin(pending, [&] { session_->cancel(at->first); });
}

void SimClient::ask_get() {
  Pending pending;
  pending.kind = Kind::get;
  pending.queue = any_queue();
  pending.no_ack = world_.rng.chance(1, 6);
  const auto* queue = definition(pending.queue);
  if (queue == nullptr) return;
  pending.queue_id = queue->id;
  world_.model.consume(queue->id);
  begin(pending, [&] { session_->get(pending.queue, pending.no_ack); });
}

void SimClient::on_reply(node::Reply reply) {
  if (world_.down) return;
  if (pending_.kind == Kind::none) return world_.model.violate("an answer that nobody asked for");
  const Pending done = std::exchange(pending_, {});
  release_names(done);
  world_.note("client {} is answered {}: {}", number_, text_of(done.kind),
              reply ? "done" : reply.error().message);
  answered(done, reply);
  if (eager_ && world_.rng.chance(1, 2)) ask();
}

void SimClient::answered(const Pending& done, const node::Reply& reply) {
  KnownNames& known = world_.known;
  const bool ok = reply.has_value();
  if (contested(done)) {
    if (!done.exchange.empty()) known.set_exchange(done.exchange, Is::unsure);
    if (!done.queue.empty()) known.set_queue(done.queue, Is::unsure);
    if (done.kind == Kind::bind) known.set_binding({done.exchange, done.queue, done.key}, Is::unsure);
    return;
  }
  switch (done.kind) {
    case Kind::declare_exchange:
      if (!ok) return world_.model.violate("declare exchange: " + reply.error().message);
      return known.set_exchange(done.exchange, Is::present);
    case Kind::delete_exchange:
      if (ok) known.set_exchange(done.exchange, Is::absent);
      return;
    case Kind::declare_queue:
      // An auto-delete queue can go between its declaration and the look at its counts.
      if (!ok && done.queue[0] != 'a') return world_.model.violate("declare queue: " + reply.error().message);
      return known.set_queue(done.queue, done.queue[0] == 'a' ? Is::unsure : Is::present);
    case Kind::delete_queue:
      if (!ok) return;
      known.set_queue(done.queue, Is::absent);
      return world_.model.remove_queue(done.queue_id);
    case Kind::bind:
    case Kind::unbind: {
      if (!ok) return;
      const Is is = done.kind == Kind::bind ? Is::present : Is::absent;
      return known.set_binding({done.exchange, done.queue, done.key}, done.queue[0] == 'a' ? Is::unsure : is);
    }
    case Kind::purge:
      if (ok) world_.model.purged(done.queue_id, done.certain);
      return world_.model.doubt_waiting(done.queue_id);
    case Kind::consume:
      if (!ok) consumers_.erase(done.consumer);
      return;
    case Kind::cancel: consumers_.erase(done.consumer); return;
    case Kind::get: {
      if (!ok) return;
      const auto& got = std::get<node::Got>(*reply);
      if (!got.delivery) return;
      std::vector<std::byte> body;
      world_.model.deliver(whole(*got.delivery, body), done.no_ack);
      if (done.no_ack) return;
      held_.push_back({node::no_consumer, got.delivery->queue, got.delivery->seq});
      if (draining_) settle(held_.size() - 1, node::Outcome::accept);
      return;
    }
    case Kind::none: return;
  }
}

}  // namespace weir::sim
