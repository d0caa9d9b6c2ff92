#include "admin/openapi.h"

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <utility>

#include "admin/listing.h"
#include "base/assert.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

struct Named {
  std::string_view name, text;
};

std::string_view text_of(std::span<const Named> names, std::string_view name) {
  for (const Named& one : names) {
    if (one.name == name) return one.text;
  }
  WEIR_ASSERT(false);  // whoever adds a name says what it is
  return {};
}

constexpr Named path_parameters[] = {
    {"vhost", "A virtual host: %2F is the one that is called /"},
    {"name", "The object's name"},
    {"user", "A user's name"},
    {"exchange", "An exchange's name; amq.default is the default exchange"},
    {"source", "The exchange that messages come from; amq.default is the default exchange"},
    {"kind", "What the destination is: q for a queue, e for an exchange"},
    {"destination", "The name of the queue or exchange that messages go to"},
    {"properties", "A binding's key, as the listing of bindings has it in properties_key"},
    {"component", "The component that a parameter is for"},
    {"password", "A password, to be hashed"},
    {"port", "A port's number"},
    {"protocol", "A protocol, as the overview's listeners name it"},
    {"node", "The node's name"},
    {"within", "How many of the unit"},
    {"unit", "days, weeks, months or years"},
    {"pattern", "An expression that names match"},
};

// Of what a call may say beyond its path.
constexpr Named query_parameters[] = {
    {"columns", "Fields that are wanted, with commas between them; a.b reaches into objects"},
    {"sort", "The field that the list is sorted by"},
    {"sort_reverse", "From the end"},
    {"page", "Which page of the list; without it the list comes whole"},
    {"page_size", "Items of a page"},
    {"name", "Items of a page: only those with this in their name"},
    {"use_regex", "name is a regular expression"},
    {"lengths_age", "How many seconds back samples of depths go; only with lengths_incr"},
    {"lengths_incr", "How many seconds lie between samples of depths"},
    {"msg_rates_age", "How many seconds back samples of counted messages go; only with msg_rates_incr"},
    {"msg_rates_incr", "How many seconds lie between samples of counted messages"},
    {"node_stats_age", "How many seconds back samples of the node go; only with node_stats_incr"},
    {"node_stats_incr", "How many seconds lie between samples of the node"},
    {"if-unused", "Only if nothing is bound to it, or consumes from it"},
    {"if-empty", "Only if no message is in it"},
    {"X-Reason", "What the client is told"},
    {"from", "Where to begin: first, last, next, a sequence number (negative: from the end), or a time"},
    {"token", "Of the answer before, to go on there"},
    {"truncate", "Bytes of a body that are shown"},
    {"encoding", "Of bodies: auto or base64"},
    {"max_messages", "That the call looks at"},
    {"max_bytes", "That the call reads"},
    {"max_time_ms", "That the call takes"},
    {"message_id", "Only messages with it"},
    {"correlation_id", "Only messages with it"},
    {"traceparent", "Only messages with it in the header traceparent: a trace's id, say"},
};

json::object schema_of(std::string_view type) {
  if (type == "any") return {};
  if (type == "strings") return {{"type", "array"}, {"items", {{"type", "string"}}}};
  if (type == "objects") return {{"type", "array"}, {"items", {{"type", "object"}}}};
  if (type == "words") return {{"oneOf", {{{"type", "string"}}, schema_of("strings")}}};
  WEIR_ASSERT(type == "string" || type == "boolean" || type == "integer" || type == "object");
  return {{"type", type}};
}

json::object referred(std::string_view kind, std::string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

// --- a call ---

// "/api/queues/:vhost" → "/api/queues/{vhost}", and what is captured.
std::string path_of(std::string_view pattern, std::vector<std::string_view>& captured) {
  std::string path;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at + 1), pattern.size());
    std::string_view segment = pattern.substr(at + 1, end - at - 1);
    if (segment.starts_with(':')) {
      segment.remove_prefix(1);
      captured.push_back(segment);
      path += fmt::format("/{{{}}}", segment);
    } else {
      path += fmt::format("/{}", segment);
    }
    at = end;
  }
  return path;
}

// "get_queues_vhost_name": each path has its own.
std::string operation_id(const Route& route) {
  std::string id;
  for (const char c : route.method) id += static_cast<char>(c - 'A' + 'a');
  for (const char c : route.pattern.substr(std::string_view("/api").size())) {
    if (c == '/' || c == '-' || c == '.') {
      id += '_';
    } else if (c != ':') {
      id += c;
    }
  }
  return id;
}

std::string_view tag_needed(Needs needs) {
  switch (needs) {
    case Needs::nothing: return "Needs no login.";
    case Needs::a_user: return "Needs any of the tags management, policymaker, monitoring and administrator.";
    case Needs::policymaker: return "Needs the tag policymaker or administrator.";
    case Needs::monitor: return "Needs the tag monitoring or administrator.";
    case Needs::administrator: return "Needs the tag administrator.";
  }
  return {};
}

json::object parameter(std::string_view place, std::string_view name, std::string_view text, bool required,
                       json::object schema) {
  json::object view{{"name", name}, {"in", place}, {"description", text}};
  if (required) view["required"] = true;
  view["schema"] = std::move(schema);
  return view;
}

json::array parameters_of(const Contract& contract, const std::vector<std::string_view>& captured) {
  json::array list;
  for (const std::string_view name : captured)
    list.push_back(parameter("path", name, text_of(path_parameters, name), true, schema_of("string")));
  if (contract.gives == Gives::item) list.push_back(referred("parameters", "columns"));
  if (contract.gives == Gives::list) {
    for (const ContractField& field : contract_fields(list_parameters))
      list.push_back(referred("parameters", field.name));
  }
  for (const ContractField& field : contract_fields(contract.query)) {
    list.push_back(parameter(field.name.starts_with("X-") ? "header" : "query", field.name,
                             text_of(query_parameters, field.name), field.required, schema_of(field.type)));
  }
  return list;
}

json::object body_of(const Contract& contract) {
  json::object properties;
  json::array required;
  for (const ContractField& field : contract_fields(contract.body)) {
    properties[field.name] = schema_of(field.type);
    if (field.required) required.emplace_back(field.name);
  }
  const bool must = !required.empty();
  json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (must) schema["required"] = std::move(required);
  json::object body;
  if (must) body["required"] = true;
  body["content"] = {{"application/json", {{"schema", std::move(schema)}}}};
  return body;
}

json::object answer(std::string_view text) { return {{"description", text}}; }
json::object answer(std::string_view text, json::object schema) {
  return {{"description", text}, {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

void add_good_answers(json::object& to, Gives gives) {
  switch (gives) {
    case Gives::item: to["200"] = answer("The object", schema_of("object")); return;
    case Gives::list:
      to["200"] = answer("The list, or a page of it",
                         {{"oneOf", {schema_of("objects"), referred("schemas", "Page")}}});
      return;
    case Gives::value: to["200"] = answer("The answer", schema_of("any")); return;
    case Gives::made:
      to["201"] = answer("It was made");
      to["204"] = answer("It was there");
      return;
    case Gives::bound: to["201"] = answer("It is there, at Location"); return;
    case Gives::done: to["204"] = answer("It is done"); return;
    case Gives::check:
      to["200"] = answer("All is well", schema_of("object"));
      to["503"] = answer("It is not, and why", schema_of("object"));
      return;
  }
}

json::object answers_of(const Route& route, const std::vector<std::string_view>& captured) {
  const Contract& contract = route.contract;
  json::object answers;
  add_good_answers(answers, contract.gives);
  bool in_vhost = false;
  for (const std::string_view name : captured)
    in_vhost = in_vhost || (name == "vhost" && !route.vhost_may_be_missing);
  const bool finds = !captured.empty() && route.method != "PUT" && contract.gives != Gives::check &&
                     contract.gives != Gives::value;
  const bool reads = contract.gives == Gives::item || contract.gives == Gives::list || !contract.body.empty();
  const bool checks = contract.gives == Gives::check && !captured.empty();
  if (reads || checks || contract.gives == Gives::made || contract.gives == Gives::done)
    answers["400"] = referred("responses", "BadRequest");
  if (route.needs != Needs::nothing) answers["401"] = referred("responses", "NotAuthorised");
  if (in_vhost || finds) answers["404"] = referred("responses", "NotFound");
  if (!contract.body.empty()) answers["413"] = referred("responses", "TooLarge");
  if (route.needs != Needs::nothing && !answers.contains("503"))
    answers["503"] = referred("responses", "Overloaded");
  return answers;
}

json::object operation_of(const Route& route, std::string_view tag, std::string& path) {
  std::vector<std::string_view> captured;
  path = path_of(route.pattern, captured);
  json::object operation{{"operationId", operation_id(route)},
                         {"tags", json::array{tag}},
                         {"summary", route.summary},
                         {"description", tag_needed(route.needs)}};
  json::array parameters = parameters_of(route.contract, captured);
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!route.contract.body.empty()) operation["requestBody"] = body_of(route.contract);
  operation["responses"] = answers_of(route, captured);
  if (route.needs == Needs::nothing) operation["security"] = json::array();
  return operation;
}

// --- what calls share ---

json::object components() {
  json::object parameters, responses;
  for (const ContractField& field : contract_fields(list_parameters)) {
    json::object schema = schema_of(field.type);
    if (field.type == "integer") schema["minimum"] = 1;
    if (field.name == "page_size") {
      schema["maximum"] = page_items_max;
      schema["default"] = page_items_default;
    }
    parameters[field.name] =
        parameter("query", field.name, text_of(query_parameters, field.name), false, std::move(schema));
  }
  constexpr std::pair<std::string_view, std::string_view> refusals[] = {
      {"BadRequest", "It makes no sense, and why"},
      {"NotAuthorised", "Who asks is not known, or may not"},
      {"NotFound", "There is no such object"},
      {"TooLarge", "The body is too large"},
      {"Overloaded", "Not now: too much is waiting, or publishers wait for memory or disk"}};
  for (const auto& [name, text] : refusals)
    responses[name] = name == "TooLarge" ? answer(text) : answer(text, referred("schemas", "Error"));
  const json::object error{{"type", "object"},
                           {"properties", {{"error", schema_of("string")}, {"reason", schema_of("string")}}}};
  const json::object page{{"type", "object"},
                          {"properties",
                           {{"filtered_count", schema_of("integer")},
                            {"item_count", schema_of("integer")},
                            {"items", schema_of("objects")},
                            {"page", schema_of("integer")},
                            {"page_count", schema_of("integer")},
                            {"page_size", schema_of("integer")},
                            {"total_count", schema_of("integer")}}}};
  return {{"securitySchemes",
           {{"basic", {{"type", "http"}, {"scheme", "basic"}}},
            {"token", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}}},
          {"parameters", std::move(parameters)},
          {"responses", std::move(responses)},
          {"schemas", {{"Error", error}, {"Page", page}}}};
}

}  // namespace

json::object openapi_document(std::span<const Resource> resources, std::string_view version) {
  json::array tags;
  json::object paths;
  for (const Resource& resource : resources) {
    tags.push_back({{"name", resource.tag}, {"description", resource.text}});
    for (const Route& route : resource.routes) {
      std::string path, method;
      for (const char c : route.method) method += static_cast<char>(c - 'A' + 'a');
      json::object operation = operation_of(route, resource.tag, path);
      json::value& methods = paths[path];
      if (methods.is_null()) methods = json::object();
      methods.get_object()[method] = std::move(operation);
    }
  }
  return {{"openapi", "3.0.3"},
          {"info",
           {{"title", "Weir management API"},
            {"description", "The HTTP API of RabbitMQ's management plugin, and more. GET answers HEAD too."},
            {"version", version},
            {"license", {{"name", "Apache-2.0"}, {"url", "https://www.apache.org/licenses/LICENSE-2.0"}}}}},
          {"servers", {{{"url", "/"}}}},
          {"tags", std::move(tags)},
          {"security", {{{"basic", json::array()}}, {{"token", json::array()}}}},
          {"paths", std::move(paths)},
          {"components", components()}};
}

}  // namespace weir::admin
