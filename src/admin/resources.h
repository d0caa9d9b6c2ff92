// What it is: the resources of the API, each with its routes; a file each.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "admin/route.h"

namespace weir::admin {

std::span<const Route> user_routes();
std::span<const Route> vhost_routes();
std::span<const Route> permission_routes();
std::span<const Route> topic_permission_routes();
std::span<const Route> exchange_routes();
std::span<const Route> queue_routes();
std::span<const Route> message_routes();
std::span<const Route> queue_message_routes();
std::span<const Route> trace_routes();
std::span<const Route> policy_routes();
std::span<const Route> parameter_routes();
std::span<const Route> limit_routes();
std::span<const Route> definition_routes();
std::span<const Route> binding_routes();
std::span<const Route> connection_routes();
std::span<const Route> consumer_routes();
std::span<const Route> overview_routes();
std::span<const Route> node_routes();
std::span<const Route> health_routes();
std::span<const Route> server_routes();  // who one is, versions, names

// Routes that belong together, and what they are about.
struct Resource {
  std::string_view tag, text;
  std::span<const Route> routes;
};
// All of them. Where two patterns fit a path, the one that comes first counts.
std::vector<Resource> api_resources();

}  // namespace weir::admin
