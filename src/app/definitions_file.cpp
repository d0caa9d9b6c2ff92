#include "app/definitions_file.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>
#include <variant>

#include "app/json_entry.h"

namespace weir::app {
namespace {

namespace json = boost::json;

struct Reading {
  DefinitionsFile file;
  std::string default_vhost;
};

std::string vhost_of(JsonEntry& entry, const Reading& reading) {
  return entry.has("vhost") ? entry.required_name("vhost") : reading.default_vhost;
}

void read_vhost(JsonEntry& entry, Reading& reading) {
  broker::VhostDefinition vhost;
  vhost.name = entry.required_name("name");
  vhost.description = entry.text_or("description", "");
  reading.file.requests.emplace_back(broker::PutVhostRequest{std::move(vhost)});
}

// "administrator,monitoring", or a list.
std::vector<std::string> read_tags(JsonEntry& entry) {
  std::vector<std::string> tags;
  const json::value* value = entry.find("tags");
  if (value == nullptr) return tags;
  if (const json::array* list = value->if_array()) {
    for (const json::value& tag : *list) {
      if (tag.is_string()) {
        tags.emplace_back(tag.get_string());
      } else {
        entry.refuse("\"tags\" must be strings");
      }
    }
    return tags;
  }
  const std::string text = entry.text_or("tags", "");
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    std::string_view tag = rest.substr(0, comma);
    while (tag.starts_with(' ')) tag.remove_prefix(1);
    while (tag.ends_with(' ')) tag.remove_suffix(1);
    if (!tag.empty()) tags.emplace_back(tag);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return tags;
}

// A salt of four bytes and the digest, in base64: its exact length is known.
std::string read_password_hash(JsonEntry& entry) {
  struct Algorithm {
    std::string_view name, scheme;
    std::size_t bytes;
  };
  constexpr Algorithm algorithms[] = {{"rabbit_password_hashing_sha256", "rabbit_sha256", 4 + 32},
                                      {"rabbit_password_hashing_sha512", "rabbit_sha512", 4 + 64}};
  const std::string hash = entry.required_text("password_hash");
  if (hash.empty()) return {};  // no password login
  const std::string named = entry.text_or("hashing_algorithm", algorithms[0].name);
  for (const Algorithm& algorithm : algorithms) {
    if (named != algorithm.name) continue;
    const bool base64 =
        hash.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
        std::string::npos;
    if (!base64 || hash.size() != (algorithm.bytes + 2) / 3 * 4) {
      entry.refuse(fmt::format("\"password_hash\" is not the base64 of {} bytes", algorithm.bytes));
    }
    return fmt::format("{}:{}", algorithm.scheme, hash);
  }
  entry.refuse(fmt::format(
      "hashing_algorithm \"{}\" is not known (rabbit_password_hashing_sha256 and …_sha512 are)", named));
  return {};
}

void read_user(JsonEntry& entry, Reading& reading) {
  broker::UserDefinition user;
  user.name = entry.required_name("name");
  user.tags = read_tags(entry);
  if (entry.has("password_hash")) {
    user.password_hash = read_password_hash(entry);
  } else if (entry.has("password")) {
    std::string password = entry.required_text("password");
    if (!password.empty()) {
      reading.file.plain_passwords.push_back({reading.file.requests.size(), std::move(password)});
    }
  }
  reading.file.requests.emplace_back(broker::PutUserRequest{std::move(user)});
}

void read_permission(JsonEntry& entry, Reading& reading) {
  broker::PermissionDefinition permission;
  permission.user = entry.required_name("user");
  permission.vhost = vhost_of(entry, reading);
  permission.configure = entry.required_text("configure");
  permission.write = entry.required_text("write");
  permission.read = entry.required_text("read");
  reading.file.requests.emplace_back(broker::PutPermissionRequest{std::move(permission)});
}

void read_exchange(JsonEntry& entry, Reading& reading) {
  broker::DeclareExchange exchange;
  exchange.vhost = vhost_of(entry, reading);
  exchange.name = entry.required_name("name");
  exchange.type = entry.required_text("type");
  exchange.durable = entry.flag("durable");
  exchange.auto_delete = entry.flag("auto_delete");
  exchange.internal = entry.flag("internal");
  exchange.arguments = entry.table("arguments");
  reading.file.requests.emplace_back(std::move(exchange));
}

void read_queue(JsonEntry& entry, Reading& reading) {
  broker::DeclareQueue queue;
  queue.vhost = vhost_of(entry, reading);
  queue.name = entry.required_name("name");
  queue.durable = entry.flag("durable");
  queue.auto_delete = entry.flag("auto_delete");
  queue.arguments = entry.table("arguments");
  // Newer exports say the type beside the arguments; "classic" is what a queue without the argument is.
  const std::string type = entry.text_or("type", "classic");
  if (type != "classic" && queue.arguments.find("x-queue-type") == nullptr) {
    queue.arguments.append("x-queue-type", broker::Value{type});
  }
  reading.file.requests.emplace_back(std::move(queue));
}

void read_binding(JsonEntry& entry, Reading& reading) {
  broker::BindingDefinition binding;
  binding.vhost = vhost_of(entry, reading);
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
  reading.file.requests.emplace_back(broker::Bind{std::move(binding)});
}

struct Section {
  std::string_view key;       // in the file
  std::string_view name_key;  // what names an entry to people
  void (*read)(JsonEntry&, Reading&);
};
// In the order in which they are applied.
constexpr Section sections[] = {
    {"vhosts", "name", read_vhost},           {"users", "name", read_user},
    {"permissions", "user", read_permission}, {"exchanges", "name", read_exchange},
    {"queues", "name", read_queue},           {"bindings", "source", read_binding},
};

Status read_section(const Section& section, const json::value& value, Reading& reading) {
  const json::array* entries = value.if_array();
  if (entries == nullptr) return fail(ErrorCode::config, fmt::format("\"{}\" must be a list", section.key));
  for (std::size_t i = 0; i < entries->size(); ++i) {
    JsonEntry entry((*entries)[i], fmt::format("{}[{}]", section.key, i), section.name_key);
    section.read(entry, reading);
    WEIR_TRY(entry.status());
  }
  return {};
}

// What an export says about itself, and the sections that describe the exporting cluster.
bool says_nothing(std::string_view key) {
  for (const std::string_view known :
       {"rabbit_version", "rabbitmq_version", "product_name", "product_version", "rabbitmq_definition_format",
        "original_vhost_name", "explanation", "metadata", "description", "default_queue_type",
        "original_cluster_name", "global_parameters"}) {
    if (key == known) return true;
  }
  return false;
}

void note_skipped(const json::object& file, DefinitionsFile& out) {
  for (const auto& [key, value] : file) {
    bool known = says_nothing(key);
    for (const Section& section : sections) known = known || key == section.key;
    if (known) continue;
    if (const json::array* entries = value.if_array()) {
      if (!entries->empty())
        out.skipped.push_back(fmt::format("{} {}", entries->size(), std::string_view(key)));
    } else {
      out.skipped.push_back(fmt::format("\"{}\"", std::string_view(key)));
    }
  }
}

std::string line_of(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  for (const char c : text.substr(0, offset)) line += c == '\n' ? 1 : 0;
  return fmt::format("line {}", line);
}

Result<json::value> parse_json(std::string_view text) {
  json::error_code error;
  json::stream_parser parser;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error)
    return fail(ErrorCode::config, fmt::format("{}: not JSON: {}", line_of(text, read), error.message()));
  if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
    return fail(ErrorCode::config,
                fmt::format("{}: there is something after the JSON object", line_of(text, read)));
  }
  return parser.release();
}

std::string_view kind_word(broker::DestinationKind kind) {
  return kind == broker::DestinationKind::queue ? "queue" : "exchange";
}

struct Describe {
  std::string operator()(const broker::DeclareExchange& r) const {
    return in_vhost("exchange", r.name, r.vhost);
  }
  std::string operator()(const broker::DeleteExchange& r) const {
    return in_vhost("exchange", r.name, r.vhost);
  }
  std::string operator()(const broker::DeclareQueue& r) const { return in_vhost("queue", r.name, r.vhost); }
  std::string operator()(const broker::DeleteQueue& r) const { return in_vhost("queue", r.name, r.vhost); }
  std::string operator()(const broker::Bind& r) const { return binding(r.binding); }
  std::string operator()(const broker::Unbind& r) const { return binding(r.binding); }
  std::string operator()(const broker::PutUserRequest& r) const {
    return fmt::format("user '{}'", r.user.name);
  }
  std::string operator()(const broker::DeleteUser& r) const { return fmt::format("user '{}'", r.name); }
  std::string operator()(const broker::PutPermissionRequest& r) const {
    return in_vhost("permission of user", r.permission.user, r.permission.vhost);
  }
  std::string operator()(const broker::DeletePermission& r) const {
    return in_vhost("permission of user", r.user, r.vhost);
  }
  std::string operator()(const broker::PutVhostRequest& r) const {
    return fmt::format("vhost '{}'", r.vhost.name);
  }
  std::string operator()(const broker::DeleteVhost& r) const { return fmt::format("vhost '{}'", r.name); }
  std::string operator()(const broker::EndSession& r) const {
    return fmt::format("session {}", r.session.value);
  }
  std::string operator()(const broker::AutoDeleteQueue& r) const {
    return fmt::format("queue {}", r.queue.value);
  }

  static std::string in_vhost(std::string_view what, std::string_view name, std::string_view vhost) {
    return fmt::format("{} '{}' in vhost '{}'", what, name, vhost);
  }
  static std::string binding(const broker::BindingDefinition& b) {
    return fmt::format("binding from exchange '{}' to {} '{}' in vhost '{}'", b.source, kind_word(b.kind),
                       b.destination, b.vhost);
  }
};

}  // namespace

Result<DefinitionsFile> parse_definitions(std::string_view json_text, const std::string& default_vhost) {
  if (json_text.size() > definitions_file_bytes_max) {
    return fail(ErrorCode::config,
                fmt::format("the file is larger than {} MiB", definitions_file_bytes_max >> 20));
  }
  auto parsed = parse_json(json_text);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  const json::object* object = parsed->if_object();
  if (object == nullptr) return fail(ErrorCode::config, "the file must hold one JSON object");
  Reading reading{{}, default_vhost};
  for (const Section& section : sections) {
    const json::value* value = object->if_contains(section.key);
    if (value != nullptr) WEIR_TRY(read_section(section, *value, reading));
  }
  note_skipped(*object, reading.file);
  return std::move(reading.file);
}

std::string describe(const broker::Request& request) { return std::visit(Describe{}, request); }

}  // namespace weir::app
