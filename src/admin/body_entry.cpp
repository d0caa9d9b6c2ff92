#include "admin/body_entry.h"

namespace weir::admin {

std::optional<Reading> read_body(Call& call, std::string_view what, void (*read)(JsonEntry&, Reading&),
                                 FromPath from_path, std::initializer_list<std::string_view> needed) {
  const boost::json::object* const body = call.json();
  if (body == nullptr || call.lacks(needed)) return std::nullopt;
  boost::json::object described = *body;
  for (const auto& [key, value] : from_path) described[key] = value;
  const boost::json::value value(std::move(described));
  JsonEntry entry(value, std::string(what), "");
  std::optional<Reading> reading = Reading{{}, {}};
  read(entry, *reading);
  if (call.refuse_bad(entry.status())) return std::nullopt;
  return reading;
}

}  // namespace weir::admin
