#include "app/settings_load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "app/nearest_name.h"
#include "app/setting_value.h"
#include "app/settings_table.h"
#include "app/toml_file.h"
#include "runtime/signature_key.h"

namespace weir::app {
namespace {

constexpr std::size_t config_file_bytes_max = 1U << 20;
constexpr const char* default_data_dir = "./weir-data";

std::vector<std::string_view> setting_names() {
  std::vector<std::string_view> names;
  for (const SettingSpec& spec : settings_table()) names.push_back(spec.name);
  return names;
}

std::string unknown_setting(std::string_view name) {
  std::string members;
  for (const SettingSpec& spec : settings_table()) {
    if (spec.name.starts_with(std::string(name) + "."))
      members += fmt::format("{}{}", members.empty() ? "" : ", ", spec.name);
  }
  if (!members.empty()) return fmt::format("\"{}\" is a group of settings: {}", name, members);
  const std::string_view near = nearest_name(name, setting_names());
  if (near.empty()) return fmt::format("unknown setting \"{}\" (`weir settings` lists them)", name);
  return fmt::format("unknown setting \"{}\": did you mean \"{}\"?", name, near);
}

class Loading {
 public:
  void set(std::string_view place, std::string_view name, const WrittenValue& written) {
    const SettingSpec* spec = find_setting(name);
    if (spec == nullptr) {
      loaded_.problems.push_back(fmt::format("{}: {}", place, unknown_setting(name)));
      return;
    }
    if (const Status status = set_value(loaded_.settings, *spec, written); !status) {
      loaded_.problems.push_back(fmt::format("{}: {}: {}", place, name, status.error().message));
    }
  }

  void read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      loaded_.problems.push_back(fmt::format("{}: can't read the file: {}", path, std::strerror(errno)));
      return;
    }
    std::string text(config_file_bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad() || text.size() > config_file_bytes_max) {
      loaded_.problems.push_back(fmt::format("{}: not a configuration file (it may have up to {} bytes)",
                                             path, config_file_bytes_max));
      return;
    }
    auto entries = parse_toml(text, path);
    if (!entries) {
      loaded_.problems.push_back(entries.error().message);
      return;
    }
    for (const TomlEntry& entry : *entries)
      set(fmt::format("{}:{}", path, entry.line), entry.name, entry.written);
  }

  void read_environment(std::map<std::string, std::string> environment) {
    std::vector<std::string> known;
    for (const SettingSpec& spec : settings_table()) {
      known.push_back(environment_name(spec));
      const auto found = environment.find(known.back());
      if (found == environment.end()) continue;
      set(known.back(), spec.name, {WrittenValue::Kind::untyped, found->second, {}});
      environment.erase(found);
    }
    // Other programs may have variables of this kind: only what looks like a slip of the pen is worth a word.
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    for (const auto& [name, value] : environment) {
      const std::string_view near = nearest_name(name, candidates);
      if (near.empty() || edit_distance(name, near) > 2) continue;
      loaded_.warnings.push_back(
          fmt::format("the environment's {} is not a setting: did you mean {}?", name, near));
    }
  }

  void read_assignment(const std::string& assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      loaded_.problems.push_back(fmt::format("--set {}: write key=value", assignment));
      return;
    }
    set("--set", assignment.substr(0, equals),
        {WrittenValue::Kind::untyped, assignment.substr(equals + 1), {}});
  }

  LoadedSettings& loaded() { return loaded_; }

 private:
  LoadedSettings loaded_{default_settings(), {}, {}};
};

void require(LoadedSettings& loaded, bool holds, std::string_view message) {
  if (!holds) loaded.problems.emplace_back(message);
}

void check_logins(LoadedSettings& loaded) {
  const Settings& s = loaded.settings;
  std::vector<std::string> backends = s.auth_backends;
  std::sort(backends.begin(), backends.end());
  const bool known = std::all_of(backends.begin(), backends.end(), [](const std::string& backend) {
    return backend == "internal" || backend == "oauth2";
  });
  require(
      loaded,
      known && !backends.empty() && std::adjacent_find(backends.begin(), backends.end()) == backends.end(),
      "auth.backends: internal and oauth2, each once at most, and one at least");
  const bool tokens = std::find(backends.begin(), backends.end(), "oauth2") != backends.end();
  require(loaded, !tokens || (!s.oauth2_jwks_file.empty() && !s.oauth2_resource_server_id.empty()),
          "auth.backends names oauth2, which needs oauth2.jwks_file and oauth2.resource_server_id");
  for (const std::string& name : s.oauth2_algorithms) {
    require(
        loaded, runtime::signature_algorithm(name).has_value(),
        fmt::format("oauth2.algorithms: \"{}\" is not an algorithm that tokens can be verified by", name));
  }
}

// What no single setting can tell.
void check_together(LoadedSettings& loaded) {
  const Settings& s = loaded.settings;
  check_logins(loaded);
  const bool certificate = !s.tls_certificate_file.empty() && !s.tls_key_file.empty();
  require(loaded, s.listen_amqps.empty() || certificate,
          "listeners.amqps needs tls.certificate_file and tls.key_file");
  require(loaded, s.listen_stomps.empty() || certificate,
          "listeners.stomps needs tls.certificate_file and tls.key_file");
  require(loaded, s.listen_mqtts.empty() || certificate,
          "listeners.mqtts needs tls.certificate_file and tls.key_file");
  require(loaded, s.listen_mqtt_wss.empty() || certificate,
          "listeners.mqtt_wss needs tls.certificate_file and tls.key_file");
  require(loaded, s.listen_stomp_wss.empty() || certificate,
          "listeners.stomp_wss needs tls.certificate_file and tls.key_file");
  require(loaded, s.listen_admin_tls.empty() || certificate,
          "listeners.admin_tls needs tls.certificate_file and tls.key_file");
  require(loaded, s.tls_certificate_file.empty() == s.tls_key_file.empty(),
          "tls.certificate_file and tls.key_file belong together: set both");
  require(loaded, !s.tls_require_client_certificate || !s.tls_ca_file.empty(),
          "tls.require_client_certificate needs tls.ca_file");
  require(loaded, s.default_permissions.size() == 3,
          "default_permissions: three regular expressions are needed: configure, write, read");
  require(loaded, !s.default_vhost.empty(), "default_vhost must not be empty");
}

}  // namespace

LoadedSettings load_settings(const SettingSources& sources) {
  Loading loading;
  if (!sources.config_file.empty()) loading.read_file(sources.config_file);
  loading.read_environment(sources.environment);
  for (const std::string& assignment : sources.assignments) loading.read_assignment(assignment);
  LoadedSettings& loaded = loading.loaded();
  std::string& data_dir = loaded.settings.data_dir;
  if (!sources.data_dir.empty()) data_dir = sources.data_dir;
  if (!sources.definitions.empty()) loaded.settings.load_definitions = sources.definitions;
  if (data_dir.empty()) {
    // systemd lists several, separated by colons, if the unit names several; the first is ours.
    const auto state = sources.environment.find("STATE_DIRECTORY");
    if (state != sources.environment.end()) data_dir = state->second.substr(0, state->second.find(':'));
  }
  if (data_dir.empty()) data_dir = default_data_dir;
  if (loaded.problems.empty()) check_together(loaded);
  return std::move(loaded);
}

std::map<std::string, std::string> settings_environment() {
  std::map<std::string, std::string> found;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    if (!name.starts_with("WEIR_") && name != "STATE_DIRECTORY") continue;
    found.emplace(name, text.substr(equals + 1));
  }
  return found;
}

}  // namespace weir::app
