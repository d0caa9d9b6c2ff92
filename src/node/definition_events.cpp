// What becomes of definitions, as events: their names and fields are those of RabbitMQ's event exchange.
#include "broker/own_exchanges.h"
#include "broker/policy_keys.h"
#include "node/reports.h"

namespace weir::node {

namespace {

using broker::Table;

std::string_view name_of(broker::DestinationKind kind) {
  return kind == broker::DestinationKind::queue ? "queue" : "exchange";
}

Table table_of(std::initializer_list<std::pair<std::string_view, broker::Value>> facts) {
  Table table;
  for (const auto& [name, value] : facts) table.append(std::string(name), value);
  return table;
}

broker::Array texts(const std::vector<std::string>& all) {
  broker::Array array;
  for (const std::string& text : all) array.push_back({text});
  return array;
}

Table facts_of(const broker::BindingDefinition& binding) {
  return table_of({{"source_name", {binding.source}},
                   {"source_kind", {std::string("exchange")}},
                   {"destination_name", {binding.destination}},
                   {"destination_kind", {std::string(name_of(binding.kind))}},
                   {"routing_key", {binding.routing_key}},
                   {"vhost", {binding.vhost}},
                   {"arguments", {binding.arguments}}});
}

Table permission_facts(const std::string& user, const std::string& vhost) {
  return table_of({{"user", {user}}, {"vhost", {vhost}}});
}

}  // namespace

// One function for each kind of change. An event that has no name is none.
struct DefinitionEvents {
  Reports& reports;
  const broker::Topology& before;
  const std::string& user;

  void tell(std::string_view key, Table facts) const {
    if (!user.empty()) facts.append("user_who_performed_action", {user});
    reports.add(key, std::move(facts));
  }
  void gone(const std::vector<broker::BindingDefinition>& bindings) const {
    for (const broker::BindingDefinition& binding : bindings) tell("binding.deleted", facts_of(binding));
  }

  void operator()(const broker::PutVhost& change) const {
    if (before.find_vhost(change.vhost.name) != nullptr) return;
    tell("vhost.created", table_of({{"name", {change.vhost.name}},
                                    {"description", {change.vhost.description}},
                                    {"tags", {texts(change.vhost.tags)}}}));
  }
  void operator()(const broker::RemoveVhost& change) const {
    tell("vhost.deleted", table_of({{"name", {change.name}}}));
  }
  void operator()(const broker::PutExchange& change) const {
    const broker::ExchangeDefinition& made = change.exchange;
    if (before.find_exchange(made.vhost, made.name) != nullptr) return;
    tell("exchange.created", table_of({{"name", {made.name}},
                                       {"vhost", {made.vhost}},
                                       {"type", {std::string(broker::to_string(made.type))}},
                                       {"durable", {made.durable}},
                                       {"auto_delete", {made.auto_delete}},
                                       {"internal", {made.internal}},
                                       {"arguments", {made.arguments}}}));
  }
  void operator()(const broker::RemoveExchange& change) const {
    gone(before.bindings_from(change.vhost, change.name));
    gone(before.bindings_to(change.vhost, broker::DestinationKind::exchange, change.name));
    tell("exchange.deleted", table_of({{"name", {change.name}}, {"vhost", {change.vhost}}}));
  }
  void operator()(const broker::PutQueue& change) const {
    const broker::QueueDefinition& made = change.queue;
    if (made.role != broker::QueueRole::plain || before.find_queue(made.vhost, made.name) != nullptr) return;
    tell("queue.created", table_of({{"name", {made.name}},
                                    {"vhost", {made.vhost}},
                                    {"durable", {made.durable}},
                                    {"auto_delete", {made.auto_delete}},
                                    {"exclusive", {made.exclusive}},
                                    {"arguments", {made.arguments}}}));
  }
  void operator()(const broker::RemoveQueue& change) const {
    const broker::QueueDefinition* const queue = before.find_queue(change.id);
    if (queue == nullptr || queue->role != broker::QueueRole::plain) return;
    gone(before.bindings_to(change.vhost, broker::DestinationKind::queue, change.name));
    tell("queue.deleted", table_of({{"name", {change.name}}, {"vhost", {change.vhost}}}));
  }
  void operator()(const broker::PutBinding& change) const {
    if (!before.has_binding(change.binding)) tell("binding.created", facts_of(change.binding));
  }
  void operator()(const broker::RemoveBinding& change) const {
    if (before.has_binding(change.binding)) tell("binding.deleted", facts_of(change.binding));
  }
  void operator()(const broker::PutUser& change) const {
    const broker::UserDefinition& put = change.user;
    const broker::UserDefinition* const known = before.find_user(put.name);
    if (known == nullptr) tell("user.created", table_of({{"name", {put.name}}}));
    if (known != nullptr && known->password_hash != put.password_hash) {
      const bool cleared = put.password_hash.empty();
      tell(cleared ? "user.password.cleared" : "user.password.changed", table_of({{"name", {put.name}}}));
    }
    if (known == nullptr ? !put.tags.empty() : known->tags != put.tags)
      tell("user.tags.set", table_of({{"name", {put.name}}, {"tags", {texts(put.tags)}}}));
  }
  void operator()(const broker::RemoveUser& change) const {
    tell("user.deleted", table_of({{"name", {change.name}}}));
  }
  void operator()(const broker::PutPermission& change) const {
    Table facts = permission_facts(change.permission.user, change.permission.vhost);
    facts.append("configure", {change.permission.configure});
    facts.append("write", {change.permission.write});
    facts.append("read", {change.permission.read});
    tell("permission.created", std::move(facts));
  }
  void operator()(const broker::RemovePermission& change) const {
    tell("permission.deleted", permission_facts(change.user, change.vhost));
  }
  void operator()(const broker::SetNextQueueId&) const {}
  void operator()(const broker::PutTopicPermission& change) const {
    Table facts = permission_facts(change.permission.user, change.permission.vhost);
    facts.append("exchange", {change.permission.exchange});
    facts.append("write", {change.permission.write});
    facts.append("read", {change.permission.read});
    tell("topic.permission.created", std::move(facts));
  }
  void operator()(const broker::RemoveTopicPermission& change) const {
    Table facts = permission_facts(change.user, change.vhost);
    facts.append("exchange", {change.exchange});
    tell("topic.permission.deleted", std::move(facts));
  }
  void operator()(const broker::PutLimit& change) const {
    const broker::LimitDefinition& limit = change.limit;
    const bool of_vhost = limit.of == broker::LimitOf::vhost;
    tell(of_vhost ? "vhost.limits.set" : "user.limits.set",
         table_of({{"name", {limit.subject}}, {limit.name, {limit.value}}}));
  }
  void operator()(const broker::RemoveLimit& change) const {
    const bool of_vhost = change.of == broker::LimitOf::vhost;
    tell(of_vhost ? "vhost.limits.cleared" : "user.limits.cleared",
         table_of({{"name", {change.subject}}, {"limit", {change.name}}}));
  }
  void operator()(const broker::PutPolicy& change) const {
    const broker::PolicyDefinition& put = change.policy;
    tell("policy.set", table_of({{"name", {put.name}},
                                 {"vhost", {put.vhost}},
                                 {"pattern", {put.pattern}},
                                 {"apply-to", {std::string(broker::to_string(put.targets))}},
                                 {"priority", {put.priority}},
                                 {"definition", {put.definition}}}));
  }
  void operator()(const broker::RemovePolicy& change) const {
    tell("policy.cleared", table_of({{"name", {change.name}}, {"vhost", {change.vhost}}}));
  }
  void operator()(const broker::PutParameter& change) const {
    Table facts = parameter_facts(change.parameter.component, change.parameter.vhost, change.parameter.name);
    facts.append("value", change.parameter.value);
    tell("parameter.set", std::move(facts));
  }
  void operator()(const broker::RemoveParameter& change) const {
    tell("parameter.cleared", parameter_facts(change.component, change.vhost, change.name));
  }
  static Table parameter_facts(const std::string& component, const std::string& vhost,
                               const std::string& name) {
    Table facts =
        table_of({{"component", {component.empty() ? std::string("global") : component}}, {"name", {name}}});
    if (!vhost.empty()) facts.append("vhost", {vhost});
    return facts;
  }
};

void Reports::add(const broker::Change& change, const std::string& user) {
  std::visit(DefinitionEvents{*this, at_.topology, user}, change);
}

}  // namespace weir::node
