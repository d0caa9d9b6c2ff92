// The sections of a definitions file that set something for many: policies and parameters.
#include <fmt/format.h>

#include <utility>

#include "admin/definitions_sections.h"
#include "admin/json_value.h"
#include "broker/policy_keys.h"

namespace weir::admin {
namespace {

// What a policy says beside its vhost and name, which lie elsewhere where it is a parameter.
void read_policy_of(JsonEntry& entry, broker::PolicyDefinition policy, Reading& reading) {
  policy.pattern = entry.required_text("pattern");
  const auto targets = broker::parse_policy_targets(entry.text_or("apply-to", "all"));
  if (targets) {
    policy.targets = *targets;
  } else {
    entry.refuse(fmt::format("\"apply-to\" is \"{}\"", entry.text_or("apply-to", "")));
  }
  policy.priority = entry.integer_or("priority", 0);
  policy.definition = entry.table("definition");
  reading.add(broker::PutPolicyRequest{std::move(policy)});
}

broker::Value read_value(JsonEntry& entry) {
  const boost::json::value* const value = entry.find("value");
  if (value == nullptr) {
    entry.refuse("\"value\" is missing");
    return {};
  }
  auto converted = to_value(*value);
  if (converted) return std::move(*converted);
  entry.refuse(fmt::format("\"value\": {}", converted.error().message));
  return {};
}

}  // namespace

void read_policy(JsonEntry& entry, Reading& reading) {
  broker::PolicyDefinition policy;
  policy.vhost = reading.vhost_of(entry);
  policy.name = entry.required_name("name");
  read_policy_of(entry, std::move(policy), reading);
}

// Two kinds of definitions are parameters in the file.
void read_parameter(JsonEntry& entry, Reading& reading) {
  const std::string component = entry.required_name("component"), name = entry.required_name("name");
  const std::string vhost = reading.vhost_of(entry);
  const boost::json::value* const value = entry.find("value");
  if (component == "operator_policy" && value != nullptr) {
    JsonEntry inner(*value, "value", "");
    broker::PolicyDefinition policy;
    policy.vhost = vhost;
    policy.name = name;
    policy.of_operator = true;
    read_policy_of(inner, std::move(policy), reading);
    if (const Status good = inner.status(); !good) entry.refuse(good.error().message);
    return;
  }
  if (component == "vhost-limits") {
    for (const broker::Field& field : entry.table("value").fields()) {
      std::int64_t number = 0;
      if (!field.value.as_integer(number))
        entry.refuse(fmt::format("limit \"{}\" must be an integer", field.key));
      reading.add(broker::PutLimitRequest{{broker::LimitOf::vhost, vhost, field.key, number}});
    }
    return;
  }
  reading.add(broker::PutParameterRequest{{component, vhost, name, read_value(entry)}});
}

void read_global_parameter(JsonEntry& entry, Reading& reading) {
  reading.add(broker::PutParameterRequest{{"", "", entry.required_name("name"), read_value(entry)}});
}

}  // namespace weir::admin
