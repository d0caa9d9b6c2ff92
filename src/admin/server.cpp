// The server itself: who asks it, what it is called, what it can do.
#include <utility>

#include "admin/call.h"
#include "admin/json_views.h"
#include "admin/listing.h"
#include "admin/openapi.h"
#include "admin/resources.h"
#include "admin/server_views.h"
#include "base/version.h"
#include "node/password.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

void who_am_i(Call& call) {
  reply_item(call, {{"name", call.user()},
                    {"tags", words_view(call.identity().tags)},
                    {"is_internal_user", call.identity().grants == nullptr}});
}

void show_version(Call& call) { call.ok(json::value(compatible_version)); }

void show_cluster_name(Call& call) { call.ok({{"name", cluster_name(call.topology(), call.api().facts())}}); }

void put_cluster_name(Call& call) {
  const json::object* const body = call.json();
  if (body == nullptr) return;
  const json::value* const name = body->if_contains("name");
  if (name == nullptr || !name->is_string()) return call.bad_request("\"name\" must be a string");
  call.decide(broker::PutParameterRequest{{"", "", std::string(cluster_name_parameter),
                                           broker::Value{std::string(name->get_string())}}},
              [call = call.keep()] { call->no_content(); });
}

// There is no web page that an extension could add to.
void list_extensions(Call& call) { call.ok(json::array()); }

// What a client may rely on, by RabbitMQ's names for it.
void list_feature_flags(Call& call) {
  json::array flags;
  for (const std::string_view name : feature_flags()) {
    flags.push_back({{"name", name},
                     {"state", "enabled"},
                     {"stability", "required"},
                     {"desc", ""},
                     {"doc_url", ""},
                     {"provided_by", "rabbit"}});
  }
  call.ok(flags);
}

// For pages that ask how to log in.
void show_login_ways(Call& call) { call.ok({{"oauth_enabled", false}}); }

// The same for all who ask, and of all servers of a version: no secret, so that tools need no login to read it.
void show_openapi(Call& call) {
  static const std::string text = json::serialize(openapi_document(api_resources(), version));
  call.reply_json(200, text);
}

// Nothing of RabbitMQ's that will go is there.
void list_deprecated(Call& call) { call.ok(json::array()); }

void show_settings(Call& call) { call.reply_json(200, call.api().facts().settings); }

// As other servers know it: for a "password_hash" in a definitions file or of a user.
void hash_password(Call& call) {
  json::object view;
  add_password(node::hash_known_password(call.capture("password")), view);
  call.ok({{"ok", view["password_hash"]}});
}

constexpr Route routes[] = {
    {"GET", "/api/openapi.json", Needs::nothing, show_openapi, "This API, as an OpenAPI document",
     Gives::value},
    {"GET", "/api/whoami", Needs::a_user, who_am_i, "The user who asks, and its tags", Gives::item},
    {"GET", "/api/version", Needs::a_user, show_version, "The version of RabbitMQ whose API this is",
     Gives::value},
    {"GET", "/api/cluster-name", Needs::a_user, show_cluster_name, "The server's name", Gives::value},
    {"PUT",
     "/api/cluster-name",
     Needs::administrator,
     put_cluster_name,
     "Gives the server a name",
     {Gives::done, "name*:string"}},
    {"GET", "/api/extensions", Needs::a_user, list_extensions, "Extensions of the web page: none",
     Gives::value},
    {"GET", "/api/feature-flags", Needs::a_user, list_feature_flags, "What is there of RabbitMQ's features",
     Gives::value},
    {"GET", "/api/deprecated-features", Needs::a_user, list_deprecated, "Features that will go: none",
     Gives::value},
    {"GET", "/api/deprecated-features/used", Needs::a_user, list_deprecated,
     "Features that will go and are in use: none", Gives::value},
    {"GET", "/api/config/effective", Needs::administrator, show_settings,
     "The settings that are in force, without secrets", Gives::value},
    {"GET", "/api/auth", Needs::nothing, show_login_ways, "How to log in", Gives::value},
    {"GET", "/api/auth/hash_password/:password", Needs::administrator, hash_password,
     "A password's hash, salted, as RabbitMQ makes it", Gives::value},
};

}  // namespace

std::span<const Route> server_routes() { return routes; }

}  // namespace weir::admin
