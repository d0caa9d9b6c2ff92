// The sections of a definitions file about vhosts, users and what they may.
#include <fmt/format.h>
#include <sodium.h>

#include <utility>

#include "admin/definitions_export.h"
#include "admin/definitions_sections.h"

namespace weir::admin {
namespace {

void read_limits(const broker::Table& limits, broker::LimitOf of, const std::string& subject,
                 JsonEntry& entry, Reading& reading) {
  for (const broker::Field& field : limits.fields()) {
    std::int64_t value = 0;
    if (!field.value.as_integer(value)) {
      entry.refuse(fmt::format("limit \"{}\" must be an integer", field.key));
      return;
    }
    reading.add(broker::PutLimitRequest{{of, subject, field.key, value}});
  }
}

// As our own export has it: the text in base64.
std::string read_argon2id(JsonEntry& entry, const std::string& hash) {
  std::string text(hash.size(), '\0');
  std::size_t bytes = 0;
  const bool good =
      sodium_base642bin(reinterpret_cast<unsigned char*>(text.data()), text.size(), hash.data(), hash.size(),
                        nullptr, &bytes, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0;
  text.resize(bytes);
  if (!good || !text.starts_with("$argon2id$")) entry.refuse("\"password_hash\" is not one of Argon2id");
  return text;
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
  if (named == argon2id_algorithm) return read_argon2id(entry, hash);
  if (named == "rabbit_password_hashing_md5") {
    entry.refuse("a password hashed with MD5 is not taken: give the user another one, or none");
    return {};
  }
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

}  // namespace

void read_user(JsonEntry& entry, Reading& reading) {
  broker::UserDefinition user;
  user.name = entry.required_name("name");
  user.tags = entry.words("tags");
  if (entry.has("password_hash")) {
    user.password_hash = read_password_hash(entry);
  } else if (entry.has("password")) {
    std::string password = entry.required_text("password");
    if (!password.empty()) {
      reading.file.plain_passwords.push_back({reading.file.requests.size(), std::move(password)});
    }
  }
  const std::string name = user.name;
  reading.add(broker::PutUserRequest{std::move(user)});
  read_limits(entry.table("limits"), broker::LimitOf::user, name, entry, reading);
}

void read_permission(JsonEntry& entry, Reading& reading) {
  broker::PermissionDefinition permission;
  permission.user = entry.required_name("user");
  permission.vhost = reading.vhost_of(entry);
  permission.configure = entry.required_text("configure");
  permission.write = entry.required_text("write");
  permission.read = entry.required_text("read");
  reading.add(broker::PutPermissionRequest{std::move(permission)});
}

void read_vhost(JsonEntry& entry, Reading& reading) {
  broker::VhostDefinition vhost;
  vhost.name = entry.required_name("name");
  // Older exports have these in an object of their own.
  const boost::json::value none = boost::json::object();
  const boost::json::value* const inner = entry.find("metadata");
  JsonEntry metadata(inner != nullptr && inner->is_object() ? *inner : none, "metadata", "");
  const auto holder = [&](std::string_view key) -> JsonEntry& { return entry.has(key) ? entry : metadata; };
  vhost.description = holder("description").text_or("description", "");
  vhost.tags = holder("tags").words("tags");
  vhost.default_queue_type = holder("default_queue_type").text_or("default_queue_type", "");
  if (vhost.default_queue_type == "undefined") vhost.default_queue_type.clear();
  vhost.tracing = entry.flag("tracing");
  if (const Status good = metadata.status(); !good) entry.refuse(good.error().message);
  const std::string name = vhost.name;
  reading.add(broker::PutVhostRequest{std::move(vhost)});
  read_limits(entry.table("limits"), broker::LimitOf::vhost, name, entry, reading);
}

void read_topic_permission(JsonEntry& entry, Reading& reading) {
  broker::TopicPermissionDefinition permission;
  permission.user = entry.required_name("user");
  permission.vhost = reading.vhost_of(entry);
  permission.exchange = entry.required_name("exchange");
  permission.write = entry.required_text("write");
  permission.read = entry.required_text("read");
  reading.add(broker::PutTopicPermissionRequest{std::move(permission)});
}

void read_weir_limits(JsonEntry& entry, Reading& reading) {
  const bool of_user = entry.has("user");
  const std::string subject = entry.required_name(of_user ? "user" : "vhost");
  read_limits(entry.table("limits"), of_user ? broker::LimitOf::user : broker::LimitOf::vhost, subject, entry,
              reading);
}

}  // namespace weir::admin
