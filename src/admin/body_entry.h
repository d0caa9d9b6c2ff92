// What it is: a call's body read as the entry of a definitions file that it describes.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admin/call.h"
#include "admin/definitions_sections.h"
#include "admin/json_entry.h"

namespace weir::admin {

using FromPath = std::initializer_list<std::pair<std::string_view, std::string>>;

// `from_path` is what the path says, whatever the body says of it; the body must have the `needed` keys. nullopt: the call
// is refused.
std::optional<Reading> read_body(Call& call, std::string_view what, void (*read)(JsonEntry&, Reading&),
                                 FromPath from_path, std::initializer_list<std::string_view> needed = {});

// The one request of a body that is one.
template <typename Request>
Request& only(Reading& reading) {
  return std::get<Request>(reading.file.requests.front());
}

}  // namespace weir::admin
