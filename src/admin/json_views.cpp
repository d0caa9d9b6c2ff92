#include "admin/json_views.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <utility>

#include "admin/definitions_export.h"
#include "admin/json_value.h"
#include "base/crc32c.h"
#include "broker/declare_arguments.h"
#include "broker/policy_keys.h"
#include "broker/tenant_limits.h"
#include "broker/texts.h"
#include "protocol/http/codec/base64.h"
#include "protocol/http/codec/target.h"

namespace weir::admin {

namespace json = boost::json;
using broker::LimitOf;

json::array words_view(const std::vector<std::string>& words) {
  json::array array;
  for (const std::string& word : words) array.emplace_back(word);
  return array;
}

void add_password(const std::string& hash, json::object& to) {
  constexpr std::pair<std::string_view, std::string_view> schemes[] = {
      {"rabbit_sha256:", "rabbit_password_hashing_sha256"},
      {"rabbit_sha512:", "rabbit_password_hashing_sha512"}};
  to["password_hash"] = "";
  to["hashing_algorithm"] = "rabbit_password_hashing_sha256";
  for (const auto& [scheme, algorithm] : schemes) {
    if (!hash.starts_with(scheme)) continue;
    to["password_hash"] = hash.substr(scheme.size());
    to["hashing_algorithm"] = algorithm;
    return;
  }
  if (hash.empty()) return;
  to["password_hash"] = http::base64_encode(hash);
  to["hashing_algorithm"] = argon2id_algorithm;
}

json::object limits_view(const broker::Topology& topology, broker::LimitOf of, std::string_view subject,
                         bool of_rabbitmq) {
  json::object view;
  for (const broker::LimitName& known : broker::limit_names_table()) {
    const bool meant = of == LimitOf::vhost ? known.of_vhost : known.of_user;
    if (!meant || known.of_rabbitmq != of_rabbitmq) continue;
    const broker::LimitDefinition* const limit = topology.limits().find(of, subject, known.name);
    if (limit != nullptr) view[known.name] = limit->value;
  }
  return view;
}

json::object user_view(const broker::UserDefinition& user, json::object limits) {
  json::object view;
  view["name"] = user.name;
  add_password(user.password_hash, view);
  view["tags"] = words_view(user.tags);
  view["limits"] = std::move(limits);
  return view;
}

json::object vhost_view(const broker::VhostDefinition& vhost, const std::string& node_name) {
  json::object metadata;
  metadata["description"] = vhost.description;
  metadata["tags"] = words_view(vhost.tags);
  if (!vhost.default_queue_type.empty()) metadata["default_queue_type"] = vhost.default_queue_type;
  json::object view;
  view["name"] = vhost.name;
  view["description"] = vhost.description;
  view["tags"] = words_view(vhost.tags);
  view["default_queue_type"] = vhost.default_queue_type.empty() ? "undefined" : vhost.default_queue_type;
  view["metadata"] = std::move(metadata);
  view["tracing"] = vhost.tracing;
  view["cluster_state"] = json::object{{node_name, "running"}};
  return view;
}

json::object permission_view(const broker::PermissionDefinition& permission) {
  return {{"user", permission.user},
          {"vhost", permission.vhost},
          {"configure", permission.configure},
          {"write", permission.write},
          {"read", permission.read}};
}

json::object topic_permission_view(const broker::TopicPermissionDefinition& permission) {
  return {{"user", permission.user},
          {"vhost", permission.vhost},
          {"exchange", permission.exchange},
          {"write", permission.write},
          {"read", permission.read}};
}

std::string policy_name(const broker::PolicyDefinition* policy) {
  return policy == nullptr ? std::string() : policy->name;
}

json::object exchange_view(const broker::ExchangeDefinition& exchange, const std::string& policy) {
  json::object view;
  view["name"] = exchange.name;
  view["vhost"] = exchange.vhost;
  view["type"] = broker::to_string(exchange.type);
  view["durable"] = exchange.durable;
  view["auto_delete"] = exchange.auto_delete;
  view["internal"] = exchange.internal;
  view["arguments"] = to_json(exchange.arguments);
  if (!policy.empty()) view["policy"] = policy;
  return view;
}

std::string_view queue_type_name(const broker::QueueDefinition& queue) {
  switch (broker::queue_type(queue.arguments)) {
    case broker::QueueType::classic: return "classic";
    case broker::QueueType::quorum: return "quorum";
    case broker::QueueType::stream: return "stream";
  }
  return {};
}

json::object policy_value(const broker::PolicyDefinition& policy) {
  return {{"pattern", policy.pattern},
          {"apply-to", broker::to_string(policy.targets)},
          {"priority", policy.priority},
          {"definition", to_json(policy.definition)}};
}

json::object policy_view(const broker::PolicyDefinition& policy) {
  json::object view = policy_value(policy);
  view["vhost"] = policy.vhost;
  view["name"] = policy.name;
  return view;
}

json::object parameter_view(const broker::ParameterDefinition& parameter) {
  json::object view{{"name", parameter.name}, {"value", to_json(parameter.value)}};
  if (parameter.component.empty()) return view;
  view["component"] = parameter.component;
  view["vhost"] = parameter.vhost;
  return view;
}

namespace {

// Of the arguments in any order, and safe within a path.
std::string arguments_hash(const broker::Table& arguments) {
  std::map<std::string, std::string> sorted;
  for (const broker::Field& field : arguments.fields())
    sorted.emplace(field.key, json::serialize(to_json(field.value)));
  std::uint32_t hash = 0;
  for (const auto& [key, value] : sorted) {
    hash = crc32c(as_bytes(key), hash);
    hash = crc32c(as_bytes("=" + value + ";"), hash);
  }
  return fmt::format("{:08x}", hash);
}

}  // namespace

std::string properties_key(const broker::BindingDefinition& binding) {
  std::string key;
  for (const char c : binding.routing_key)
    key += c == ' ' ? "+" : c == '~' ? "%7E" : http::percent_encode({&c, 1});
  if (!binding.arguments.empty()) return key + "~" + arguments_hash(binding.arguments);
  return key.empty() ? "~" : key;
}

json::object binding_view(const broker::BindingDefinition& binding) {
  json::object view;
  view["source"] = binding.source;
  view["vhost"] = binding.vhost;
  view["destination"] = binding.destination;
  view["destination_type"] = broker::to_string(binding.kind);
  view["routing_key"] = binding.routing_key;
  view["arguments"] = to_json(binding.arguments);
  view["properties_key"] = properties_key(binding);
  return view;
}

}  // namespace weir::admin
