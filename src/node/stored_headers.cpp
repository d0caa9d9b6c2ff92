#include "node/stored_headers.h"

#include <string>

namespace weir::node {

broker::Table HeadersOf::properties_of(const broker::StoredMessage& message) const {
  if (properties == nullptr) return {};
  broker::Table table = properties(message.native, message.properties);
  if (message.extras.empty() || table.find("expiration") != nullptr) return table;
  if (const auto ttl_ms = broker::view_extras(message.extras).ttl_ms)
    table.append("expiration", {std::to_string(*ttl_ms)});
  return table;
}

}  // namespace weir::node
