#include "broker/cascade.h"

namespace weir::broker {

void Cascade::bindings_go(const std::string& source, std::size_t count) {
  const std::size_t gone = gone_[source] += count;
  if (going_.contains(source)) return;
  const ExchangeDefinition* const exchange = topology_.find_exchange(vhost_, source);
  if (exchange == nullptr || !exchange->auto_delete) return;
  if (gone < topology_.count_bindings_from(vhost_, source)) return;
  going_.insert(source);
  found_.push_back(source);
}

void Cascade::destination_goes(DestinationKind kind, const std::string& name) {
  for (const auto& [source, count] : topology_.sources_of(vhost_, kind, name)) bindings_go(source, count);
}

void Cascade::exchange_goes(const std::string& name) {
  going_.insert(name);
  destination_goes(DestinationKind::exchange, name);
}

void Cascade::finish(std::vector<Change>& out) {
  for (std::size_t i = 0; i < found_.size(); ++i) {
    const std::string name = found_[i];  // the list grows meanwhile
    out.emplace_back(RemoveExchange{vhost_, name});
    destination_goes(DestinationKind::exchange, name);
  }
}

}  // namespace weir::broker
