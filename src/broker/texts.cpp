#include "broker/texts.h"

#include <fmt/format.h>

#include "base/assert.h"

namespace weir::broker {

std::string_view to_string(Access access) {
  switch (access) {
    case Access::configure: return "configure";
    case Access::write: return "write";
    case Access::read: return "read";
  }
  WEIR_UNREACHABLE();
}

std::string_view to_string(DestinationKind kind) {
  return kind == DestinationKind::queue ? std::string_view("queue") : std::string_view("exchange");
}

std::string resource_text(DestinationKind kind, std::string_view vhost, std::string_view name) {
  return fmt::format("{} '{}' in vhost '{}'", to_string(kind), name, vhost);
}

std::unexpected<Error> no_such(DestinationKind kind, std::string_view vhost, std::string_view name) {
  return fail(ErrorCode::not_found, "no " + resource_text(kind, vhost, name));
}

std::unexpected<Error> no_such_vhost(std::string_view vhost) {
  return fail(ErrorCode::not_found, fmt::format("vhost '{}' not found", vhost));
}

}  // namespace weir::broker
