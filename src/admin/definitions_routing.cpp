// The sections of a definitions file about what messages go through: exchanges, queues, bindings.
#include <string>
#include <utility>

#include "admin/definitions_sections.h"

namespace weir::admin {

void read_exchange(JsonEntry& entry, Reading& reading) {
  broker::DeclareExchange exchange;
  exchange.vhost = reading.vhost_of(entry);
  exchange.name = entry.required_name("name");
  exchange.type = entry.required_text("type");
  exchange.durable = entry.flag("durable");
  exchange.auto_delete = entry.flag("auto_delete");
  exchange.internal = entry.flag("internal");
  exchange.arguments = entry.table("arguments");
  reading.add(std::move(exchange));
}

void read_queue(JsonEntry& entry, Reading& reading) {
  broker::DeclareQueue queue;
  queue.vhost = reading.vhost_of(entry);
  queue.name = entry.required_name("name");
  queue.durable = entry.flag("durable");
  queue.auto_delete = entry.flag("auto_delete");
  queue.arguments = entry.table("arguments");
  // Newer exports say the type beside the arguments; "classic" is what a queue without the argument is.
  const std::string type = entry.text_or("type", "classic");
  if (type != "classic" && queue.arguments.find("x-queue-type") == nullptr) {
    queue.arguments.append("x-queue-type", broker::Value{type});
  }
  reading.add(std::move(queue));
}

void read_binding(JsonEntry& entry, Reading& reading) {
  broker::BindingDefinition binding;
  binding.vhost = reading.vhost_of(entry);
  binding.source = entry.required_name("source");
  binding.destination = entry.required_name("destination");
  const std::string kind = entry.text_or("destination_type", "queue");
  if (kind == "exchange") {
    binding.kind = broker::DestinationKind::exchange;
  } else if (kind != "queue") {
    entry.refuse(R"("destination_type" must be "queue" or "exchange")");
  }
  if (entry.has("routing_key")) binding.routing_key = entry.name("routing_key");
  binding.arguments = entry.table("arguments");
  reading.add(broker::Bind{std::move(binding)});
}

}  // namespace weir::admin
