#include "node/identity.h"

#include <utility>

namespace weir::node {

Identity identity_of_broker() {
  const auto any = [] { return *broker::Wildcard::parse("*"); };
  std::vector<broker::Grant> grants;
  for (const auto access : {broker::Access::configure, broker::Access::write, broker::Access::read})
    grants.push_back({access, any(), any(), any()});
  return {.user = {}, .tags = {}, .grants = std::make_shared<const broker::Grants>(std::move(grants))};
}

}  // namespace weir::node
