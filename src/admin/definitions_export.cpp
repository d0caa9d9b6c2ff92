#include "admin/definitions_export.h"

#include <boost/json.hpp>
#include <utility>

#include "admin/json_value.h"
#include "admin/json_views.h"
#include "base/version.h"
#include "broker/texts.h"

namespace weir::admin {
namespace {

namespace json = boost::json;
using broker::LimitOf;

class Exporter {
 public:
  // `vhost` null: all of them, with their names.
  Exporter(const broker::Topology& topology, const std::string* vhost) : topology_(topology), only_(vhost) {}

  json::object all() const {
    json::object file = about();
    file["users"] = users();
    file["vhosts"] = vhosts();
    file["permissions"] = permissions();
    file["topic_permissions"] = topic_permissions();
    file["global_parameters"] = parameters(true);
    file["weir_limits"] = limits_of_weir();
    add_contents(file);
    return file;
  }
  json::object of_vhost() const {
    json::object file = about();
    add_contents(file);
    return file;
  }

 private:
  static json::object about() {
    json::object file;
    file["product_name"] = "Weir";
    file["product_version"] = version;
    return file;
  }

  void add_contents(json::object& file) const {
    file["parameters"] = parameters(false);
    json::array policies, exchanges, queues, bindings;
    for (const broker::VhostDefinition* vhost : topology_.vhosts()) {
      if (only_ != nullptr && vhost->name != *only_) continue;
      for (const broker::PolicyDefinition* policy : topology_.policies(vhost->name)) {
        if (!policy->of_operator) policies.push_back(policy_entry(*policy));
      }
      for (const broker::ExchangeDefinition* exchange : topology_.exchanges(vhost->name)) {
        if (!exchange->name.empty() && !exchange->name.starts_with("amq."))
          exchanges.push_back(exchange_entry(*exchange));
      }
      for (const broker::QueueDefinition* queue : topology_.queues(vhost->name)) {
        if (!queue->exclusive) queues.push_back(queue_entry(*queue));
      }
      for (const broker::BindingDefinition& binding : topology_.bindings(vhost->name)) {
        if (!to_exclusive(binding)) bindings.push_back(binding_entry(binding));
      }
    }
    file["policies"] = std::move(policies);
    file["exchanges"] = std::move(exchanges);
    file["queues"] = std::move(queues);
    file["bindings"] = std::move(bindings);
  }

  bool to_exclusive(const broker::BindingDefinition& binding) const {
    if (binding.kind != broker::DestinationKind::queue) return false;
    const broker::QueueDefinition* const queue = topology_.find_queue(binding.vhost, binding.destination);
    return queue != nullptr && queue->exclusive;
  }

  json::object entry_in(const std::string& vhost, const std::string& name) const {
    json::object entry;
    if (only_ == nullptr) entry["vhost"] = vhost;
    entry["name"] = name;
    return entry;
  }

  // --- users and vhosts ---

  json::object limits(LimitOf of, std::string_view subject, bool of_rabbitmq) const {
    return limits_view(topology_, of, subject, of_rabbitmq);
  }

  json::array users() const {
    json::array array;
    for (const broker::UserDefinition* user : topology_.users()) {
      array.push_back(user_view(*user, limits(LimitOf::user, user->name, true)));
    }
    return array;
  }

  json::array vhosts() const {
    json::array array;
    for (const broker::VhostDefinition* vhost : topology_.vhosts()) {
      json::object metadata;
      metadata["description"] = vhost->description;
      metadata["tags"] = words_view(vhost->tags);
      if (!vhost->default_queue_type.empty()) metadata["default_queue_type"] = vhost->default_queue_type;
      json::object entry = metadata;
      entry["name"] = vhost->name;
      entry["metadata"] = std::move(metadata);
      array.push_back(std::move(entry));
    }
    return array;
  }

  json::array permissions() const {
    json::array array;
    for (const broker::PermissionDefinition* permission : topology_.permissions())
      array.push_back(permission_view(*permission));
    return array;
  }

  json::array topic_permissions() const {
    json::array array;
    for (const broker::TopicPermissionDefinition* permission : topology_.topic_permissions())
      array.push_back(topic_permission_view(*permission));
    return array;
  }

  json::array limits_of_weir() const {
    json::array array;
    const auto add = [&](LimitOf of, std::string_view key, const std::string& subject) {
      json::object own = limits(of, subject, false);
      if (!own.empty()) array.push_back({{key, subject}, {"limits", std::move(own)}});
    };
    for (const broker::VhostDefinition* vhost : topology_.vhosts()) add(LimitOf::vhost, "vhost", vhost->name);
    for (const broker::UserDefinition* user : topology_.users()) add(LimitOf::user, "user", user->name);
    return array;
  }

  // --- parameters, and what is one to RabbitMQ ---

  json::array parameters(bool global) const {
    json::array array;
    for (const broker::ParameterDefinition* parameter : topology_.parameters()) {
      if (parameter->component.empty() != global) continue;
      if (only_ != nullptr && parameter->vhost != *only_) continue;
      json::object entry;
      if (!global) {
        entry = entry_in(parameter->vhost, parameter->name);
        entry["component"] = parameter->component;
      }
      entry["name"] = parameter->name;
      entry["value"] = to_json(parameter->value);
      array.push_back(std::move(entry));
    }
    if (!global) add_broker_parameters(array);
    return array;
  }

  void add_broker_parameters(json::array& array) const {
    for (const broker::VhostDefinition* vhost : topology_.vhosts()) {
      if (only_ != nullptr && vhost->name != *only_) continue;
      json::object of_vhost = limits(LimitOf::vhost, vhost->name, true);
      if (!of_vhost.empty()) {
        json::object entry = entry_in(vhost->name, "limits");
        entry["component"] = "vhost-limits";
        entry["value"] = std::move(of_vhost);
        array.push_back(std::move(entry));
      }
      for (const broker::PolicyDefinition* policy : topology_.policies(vhost->name)) {
        if (!policy->of_operator) continue;
        json::object entry = entry_in(vhost->name, policy->name);
        entry["component"] = "operator_policy";
        entry["value"] = policy_value(*policy);
        array.push_back(std::move(entry));
      }
    }
  }

  json::object policy_entry(const broker::PolicyDefinition& policy) const {
    json::object entry = entry_in(policy.vhost, policy.name);
    for (const auto& [key, value] : policy_value(policy)) entry[key] = value;
    return entry;
  }

  // --- exchanges, queues, bindings ---

  json::object exchange_entry(const broker::ExchangeDefinition& exchange) const {
    json::object entry = entry_in(exchange.vhost, exchange.name);
    entry["type"] = broker::to_string(exchange.type);
    entry["durable"] = exchange.durable;
    entry["auto_delete"] = exchange.auto_delete;
    entry["internal"] = exchange.internal;
    entry["arguments"] = to_json(exchange.arguments);
    return entry;
  }

  json::object queue_entry(const broker::QueueDefinition& queue) const {
    json::object entry = entry_in(queue.vhost, queue.name);
    entry["type"] = queue_type_name(queue);
    entry["durable"] = queue.durable;
    entry["auto_delete"] = queue.auto_delete;
    entry["arguments"] = to_json(queue.arguments);
    return entry;
  }

  json::object binding_entry(const broker::BindingDefinition& binding) const {
    json::object entry;
    if (only_ == nullptr) entry["vhost"] = binding.vhost;
    entry["source"] = binding.source;
    entry["destination"] = binding.destination;
    entry["destination_type"] = broker::to_string(binding.kind);
    entry["routing_key"] = binding.routing_key;
    entry["arguments"] = to_json(binding.arguments);
    return entry;
  }

  const broker::Topology& topology_;
  const std::string* only_;
};

}  // namespace

std::string export_definitions(const broker::Topology& topology) {
  return json::serialize(Exporter(topology, nullptr).all());
}

std::string export_vhost_definitions(const broker::Topology& topology, std::string_view vhost) {
  const std::string name(vhost);
  return json::serialize(Exporter(topology, &name).of_vhost());
}

}  // namespace weir::admin
