#include "broker/message_keys.h"

#include "broker/group_key.h"

namespace weir::broker {

namespace {

const Value* key_header(const Table& arguments) {
  for (const std::string_view name : {groups_argument, last_value_argument, fair_argument}) {
    if (const Value* const header = arguments.find(name)) return header;
  }
  return nullptr;
}

bool deduplicates(const Table& arguments) {
  const Value* const wanted = arguments.find(dedup_argument);
  const bool* const on = wanted == nullptr ? nullptr : std::get_if<bool>(&wanted->v);
  return on != nullptr && *on;
}

}  // namespace

bool wants_keys(const Table& arguments) {
  return !arguments.empty() && (key_header(arguments) != nullptr || deduplicates(arguments));
}

void add_keys(const Table& arguments, const Table& headers, MessageExtras& extras) {
  if (const Value* const header = key_header(arguments))
    extras.group = group_key(headers.find(*header->as_string()));
  if (!deduplicates(arguments)) return;
  const Value* const other = arguments.find(dedup_header_argument);
  const Value* const id = headers.find(other == nullptr ? dedup_header : *other->as_string());
  if (id != nullptr && !std::holds_alternative<std::monostate>(id->v)) extras.id = dedup_id(*id);
}

}  // namespace weir::broker
