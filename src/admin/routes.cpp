// All resources, put together.
#include "admin/resources.h"
#include "admin/route.h"

namespace weir::admin {

std::vector<Route> api_routes() {
  std::vector<Route> routes;
  for (const auto part :
       {server_routes(), user_routes(), vhost_routes(), permission_routes(), topic_permission_routes(),
        exchange_routes(), queue_routes(), message_routes(), binding_routes(), policy_routes(),
        parameter_routes(), limit_routes(), definition_routes(), connection_routes(), consumer_routes(),
        overview_routes(), node_routes(), health_routes()}) {
    routes.insert(routes.end(), part.begin(), part.end());
  }
  return routes;
}

}  // namespace weir::admin
