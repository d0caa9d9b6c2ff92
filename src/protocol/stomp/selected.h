// What it is: a message as selectors see it: its headers by the names that a MESSAGE of it has. Those that came by STOMP have no
// types; those of another protocol's message have theirs.
// Lifetime: the delivery's.
#pragma once

#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "broker/selector/selector.h"
#include "node/session.h"
#include "node/stored_headers.h"

namespace weir::stomp {

class SelectedMessage final : public broker::SelectorSource {
 public:
  SelectedMessage(const node::Delivery& delivery, node::HeadersOf forms)
      : delivery_(delivery), forms_(forms) {}

  broker::SelectorValue property(std::string_view name) override;

 private:
  broker::SelectorValue stored(std::string_view name);
  broker::SelectorValue converted(std::string_view name);

  const node::Delivery& delivery_;
  const node::HeadersOf forms_;
  std::list<std::string> texts_;        // that had escapes; views into them were given away
  std::optional<broker::Table> table_;  // of another protocol's message
};

}  // namespace weir::stomp
