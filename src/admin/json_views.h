// What it is: definitions as JSON objects with RabbitMQ's names for their fields, as the API shows them.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "broker/definitions.h"
#include "broker/topology.h"

namespace weir::admin {

boost::json::array words_view(const std::vector<std::string>& words);
// "password_hash" and "hashing_algorithm"; of no use to another server where the hash is Argon2id.
void add_password(const std::string& hash, boost::json::object& to);
// The limits that RabbitMQ knows, or those that it does not.
boost::json::object limits_view(const broker::Topology& topology, broker::LimitOf of,
                                std::string_view subject, bool of_rabbitmq);

boost::json::object user_view(const broker::UserDefinition& user, boost::json::object limits);
boost::json::object vhost_view(const broker::VhostDefinition& vhost, const std::string& node_name);
boost::json::object permission_view(const broker::PermissionDefinition& permission);
boost::json::object topic_permission_view(const broker::TopicPermissionDefinition& permission);

std::string policy_name(const broker::PolicyDefinition* policy);  // empty: there is none
boost::json::object exchange_view(const broker::ExchangeDefinition& exchange, const std::string& policy);
std::string_view queue_type_name(const broker::QueueDefinition& queue);
// Of a policy, what it says beside its vhost and name.
boost::json::object policy_value(const broker::PolicyDefinition& policy);
boost::json::object policy_view(const broker::PolicyDefinition& policy);
boost::json::object parameter_view(const broker::ParameterDefinition& parameter);
// By which a binding is named among those between the same two ends: its routing key, and a hash of its arguments.
std::string properties_key(const broker::BindingDefinition& binding);
boost::json::object binding_view(const broker::BindingDefinition& binding);

}  // namespace weir::admin
