#include "broker/exchange.h"

#include "base/assert.h"
#include "broker/delay.h"
#include "broker/exchange_arguments.h"
#include "broker/hash.h"

namespace weir::broker {

namespace {

// The same for tables that are equal: the order of fields does not count, nor do values.
std::uint64_t hash_keys(const Table& table) {
  std::uint64_t sum = 0;
  for (const Field& field : table.fields()) sum += hash_text(field.key);
  return sum;
}

std::uint64_t identity(const Destination& destination, std::string_view routing_key, const Table& arguments) {
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&destination));
  return hash_text(routing_key, hash_mix(address, 0x9e3779b97f4a7c15ULL) + hash_keys(arguments));
}

// The last of the destination's list takes its place.
void unlist(const Binding& binding) {
  std::vector<Binding*>& incoming = binding.destination->incoming;
  incoming.back()->incoming_index = binding.incoming_index;
  incoming[binding.incoming_index] = incoming.back();
  incoming.pop_back();
}

}  // namespace

const Table& Binding::table() const {
  static const Table none;
  return arguments != nullptr ? *arguments : none;
}

Exchange::Exchange(ExchangeDefinition definition)
    : Destination(DestinationKind::exchange), definition_(std::move(definition)) {
  read_arguments();
  switch (matching_) {
    case ExchangeType::direct: matcher_.emplace<DirectTable>(); break;
    case ExchangeType::topic: matcher_.emplace<TopicTrie>(); break;
    case ExchangeType::consistent_hash: matcher_.emplace<WeightedChoice>(); break;
    case ExchangeType::modulus_hash:
    case ExchangeType::random:
    case ExchangeType::local_random: matcher_.emplace<BindingList>(); break;
    case ExchangeType::fanout:
    case ExchangeType::headers:
    case ExchangeType::recent_history:
    case ExchangeType::delayed: break;
  }
}

Exchange::~Exchange() = default;

// How it matches stays what it was.
void Exchange::update(ExchangeDefinition definition) {
  WEIR_ASSERT(definition.type == definition_.type);
  const ExchangeType matching = matching_;
  definition_ = std::move(definition);
  read_arguments();
  matching_ = matching;
}

void Exchange::read_arguments() {
  const auto text = [&](std::string_view name) {
    const Value* const value = definition_.arguments.find(name);
    return value == nullptr ? nullptr : value->as_string();
  };
  matching_ = matching_type(definition_.type, definition_.arguments);
  find_alternate();
  const bool hashes = matching_ == ExchangeType::consistent_hash;
  hash_header_ = hashes ? text(hash_header_argument) : nullptr;
  hash_property_ = hashes ? text(hash_property_argument) : nullptr;
}

// What a message lacks that is to be hashed counts as empty: all such messages go one way.
std::uint64_t Exchange::hash_of(std::string_view routing_key, HeaderSource& message) const {
  if (hash_header_ != nullptr) {
    const Value* const value = message.headers().find(*hash_header_);
    return hash_text(value == nullptr ? std::string() : to_text(*value));
  }
  if (hash_property_ != nullptr) return hash_text(message.property(*hash_property_).value_or(std::string()));
  return hash_text(routing_key);
}

bool Exchange::must_wait(HeaderSource& message) {
  return !message.waited() && delay_ms(message.headers()) > 0;
}

bool Exchange::must_keep(HeaderSource& message) {
  const Value* const no_store = message.headers().find("x-recent-history-no-store");
  const bool* const is = no_store == nullptr ? nullptr : std::get_if<bool>(&no_store->v);
  return is == nullptr || !*is;
}

void Exchange::use_alternate(const std::string* by_policy) {
  alternate_by_policy_ = by_policy == nullptr ? nullptr : std::make_unique<std::string>(*by_policy);
  find_alternate();
}

void Exchange::find_alternate() {
  const Value* const own = definition_.arguments.find("alternate-exchange");
  alternate_ = own == nullptr ? nullptr : own->as_string();
  if (alternate_ == nullptr) alternate_ = alternate_by_policy_.get();
}

Binding* Exchange::find(const Destination& destination, std::string_view routing_key,
                        const Table& arguments) const {
  return bindings_.find(identity(destination, routing_key, arguments), [&](const Binding& binding) {
    return binding.destination == &destination && binding.routing_key == routing_key &&
           binding.table() == arguments;
  });
}

void Exchange::add(Destination& destination, std::string_view routing_key, const Table& arguments) {
  auto owned = std::make_unique<Binding>();
  Binding& binding = *owned;
  binding.source = this;
  binding.destination = &destination;
  binding.routing_key = routing_key;
  if (!arguments.empty()) binding.arguments = std::make_unique<Table>(arguments);
  binding.incoming_index = static_cast<std::uint32_t>(destination.incoming.size());
  destination.incoming.push_back(&binding);
  std::visit([&](auto& matcher) { matcher.add(binding); }, matcher_);
  bindings_.insert(identity(destination, routing_key, arguments), std::move(owned));
}

void Exchange::detach() {
  bindings_.for_each([](const Binding& binding) { unlist(binding); });
}

void Exchange::remove(Binding& binding) {
  std::visit([&](auto& matcher) { matcher.remove(binding); }, matcher_);
  unlist(binding);
  bindings_.erase(identity(*binding.destination, binding.routing_key, binding.table()),
                  [&](const Binding& other) { return &other == &binding; });
}

}  // namespace weir::broker
