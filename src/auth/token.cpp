#include "auth/token.h"

#include <utility>

#include "auth/base64url.h"

namespace weir::auth {

namespace json = boost::json;

namespace {

constexpr std::size_t nesting_max = 16;

std::unexpected<Error> no_token(const char* why) { return fail(ErrorCode::access_refused, why); }

std::optional<json::object> decode_object(std::string_view part) {
  const auto bytes = decode_base64url(part);
  if (!bytes) return std::nullopt;
  return parse_json_object({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
}

}  // namespace

std::optional<json::object> parse_json_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = nesting_max;
  boost::system::error_code error;
  json::value parsed = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !parsed.is_object()) return std::nullopt;
  return std::move(parsed.get_object());
}

std::string_view text_member(const json::object& of, std::string_view name) {
  const json::value* const found = of.if_contains({name.data(), name.size()});
  if (found == nullptr || !found->is_string()) return {};
  return {found->get_string().data(), found->get_string().size()};
}

Result<Token> parse_token(std::string_view text) {
  if (text.size() > token_bytes_max) return no_token("the token is too long");
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return no_token("not a token");
  const auto header = decode_object(text.substr(0, first));
  if (!header) return no_token("the token's header is not in its form");
  if (header->contains("crit")) return no_token("the token asks for extensions");
  Token token;
  token.algorithm = text_member(*header, "alg");
  if (token.algorithm.empty()) return no_token("the token names no algorithm");
  if (const json::value* const key_id = header->if_contains("kid")) {
    token.key_id = text_member(*header, "kid");
    if (!key_id->is_string() || token.key_id.empty() || token.key_id.size() > key_id_bytes_max)
      return no_token("the token's key id is not in its form");
  }
  auto claims = decode_object(text.substr(first + 1, second - first - 1));
  if (!claims) return no_token("the token's claims are not in their form");
  auto signature = decode_base64url(text.substr(second + 1));
  if (!signature || signature->empty()) return no_token("the token's signature is not in its form");
  token.claims = std::move(*claims);
  token.signed_text = text.substr(0, second);
  token.signature = std::move(*signature);
  return token;
}

}  // namespace weir::auth
