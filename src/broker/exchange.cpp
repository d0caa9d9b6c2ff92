#include "broker/exchange.h"

#include "base/assert.h"
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
  if (definition_.type == ExchangeType::direct) matcher_.emplace<DirectTable>();
  if (definition_.type == ExchangeType::topic) matcher_.emplace<TopicTrie>();
  find_alternate();
}

Exchange::~Exchange() = default;

void Exchange::update(ExchangeDefinition definition) {
  WEIR_ASSERT(definition.type == definition_.type);
  definition_ = std::move(definition);
  find_alternate();
}

void Exchange::find_alternate() {
  const Value* value = definition_.arguments.find("alternate-exchange");
  alternate_ = value == nullptr ? nullptr : value->as_string();
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
