// Consumers, as they are now.
#include <memory>
#include <utility>

#include "admin/call.h"
#include "admin/consumer_views.h"
#include "admin/listing.h"
#include "admin/resources.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

void list_consumers(Call& call) {
  node::ObserveScope scope;
  scope.consumers = scope.sessions = true;
  if (call.captures("vhost")) scope.vhost = call.capture("vhost");
  call.observe(std::move(scope), [](Call& asking, node::Observed&& seen) {
    auto rows = std::make_shared<std::vector<ConsumerFacts>>();
    for (ConsumerFacts& consumer : consumers_of(asking.topology(), std::move(seen))) {
      if (asking.sees(consumer.vhost)) rows->push_back(std::move(consumer));
    }
    const std::size_t count = rows->size();
    reply_list(asking, count,
               [rows, node_name = asking.api().at().client.node_name()] {
                 std::vector<json::object> items;
                 for (const ConsumerFacts& consumer : *rows)
                   items.push_back(consumer_view(consumer, node_name));
                 return items;
               },
               {"queue.vhost", "queue.name", "consumer_tag"});
  });
}

constexpr Route routes[] = {
    {"GET", "/api/consumers", Needs::a_user, list_consumers, "All consumers", Gives::list},
    {"GET", "/api/consumers/:vhost", Needs::a_user, list_consumers, "Consumers in a virtual host",
     Gives::list},
};

}  // namespace

std::span<const Route> consumer_routes() { return routes; }

}  // namespace weir::admin
