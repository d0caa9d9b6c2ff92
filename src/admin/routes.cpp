// All resources, put together.
#include "admin/resources.h"
#include "admin/route.h"

namespace weir::admin {

std::vector<Resource> api_resources() {
  return {
      {"server", "Who asks whom: names and versions", server_routes()},
      {"users", "Users, their passwords and tags", user_routes()},
      {"vhosts", "Virtual hosts", vhost_routes()},
      {"permissions", "What users may do in virtual hosts", permission_routes()},
      {"topic permissions", "With which routing keys users may use exchanges", topic_permission_routes()},
      {"exchanges", "Exchanges", exchange_routes()},
      {"queues", "Queues", queue_routes()},
      {"messages", "Messages: published, taken and looked at", message_routes()},
      {"queue contents", "Messages of a queue, wherever they are in it", queue_message_routes()},
      {"traces", "Where messages have been", trace_routes()},
      {"bindings", "What leads from exchanges to queues and exchanges", binding_routes()},
      {"policies", "Settings of queues and exchanges by their names", policy_routes()},
      {"parameters", "What components keep here", parameter_routes()},
      {"limits", "Limits of virtual hosts and users", limit_routes()},
      {"definitions", "All of the above as a file", definition_routes()},
      {"connections", "Connections and channels", connection_routes()},
      {"consumers", "Consumers", consumer_routes()},
      {"overview", "The server at a glance", overview_routes()},
      {"nodes", "The node", node_routes()},
      {"health", "Whether the server is well", health_routes()},
  };
}

std::vector<Route> api_routes() {
  std::vector<Route> routes;
  for (const Resource& part : api_resources())
    routes.insert(routes.end(), part.routes.begin(), part.routes.end());
  return routes;
}

}  // namespace weir::admin
