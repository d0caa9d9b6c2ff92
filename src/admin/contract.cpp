#include "admin/contract.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::admin {

std::vector<ContractField> contract_fields(std::string_view fields) {
  std::vector<ContractField> read;
  while (!fields.empty()) {
    const std::size_t end = std::min(fields.find(' '), fields.size());
    const std::string_view field = fields.substr(0, end);
    const std::size_t colon = field.find(':');
    WEIR_ASSERT(colon != std::string_view::npos && colon > 0);  // it stands in a table of ours
    ContractField one{field.substr(0, colon), field.substr(colon + 1)};
    one.required = one.name.ends_with('*');
    if (one.required) one.name.remove_suffix(1);
    read.push_back(one);
    fields = fields.substr(std::min(end + 1, fields.size()));
  }
  return read;
}

}  // namespace weir::admin
