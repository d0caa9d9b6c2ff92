#include "app/token_login.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace weir::app {

Status read_token_keys(auth::Oauth2& tokens, const Settings& settings) {
  const std::string& path = settings.oauth2_jwks_file;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(ErrorCode::config, fmt::format("{}: can't read the file: {}", path, std::strerror(errno)));
  std::string text(auth::key_set_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (Status read = tokens.use_keys(text); !read)
    return fail(ErrorCode::config, fmt::format("{}: {}", path, read.error().message));
  return {};
}

Result<std::unique_ptr<auth::Oauth2>> make_token_login(const Settings& settings) {
  const auto& backends = settings.auth_backends;
  if (std::find(backends.begin(), backends.end(), "oauth2") == backends.end()) return nullptr;
  auth::Oauth2Settings own;
  own.scopes.resource_server_id = settings.oauth2_resource_server_id;
  own.scopes.prefix = settings.oauth2_scope_prefix.empty() ? settings.oauth2_resource_server_id + "."
                                                           : settings.oauth2_scope_prefix;
  own.scopes.additional_keys = settings.oauth2_additional_scopes_key;
  own.issuer = settings.oauth2_issuer;
  own.verify_audience = settings.oauth2_verify_audience;
  own.username_claims = settings.oauth2_preferred_username_claims;
  own.leeway_ms = settings.oauth2_leeway_s * 1'000;
  for (const std::string& name : settings.oauth2_algorithms) {
    if (const auto algorithm = runtime::signature_algorithm(name)) own.algorithms.push_back(*algorithm);
  }
  auto tokens = std::make_unique<auth::Oauth2>(std::move(own));
  WEIR_TRY(read_token_keys(*tokens, settings));
  return tokens;
}

}  // namespace weir::app
