#include "protocol/http/web_socket_upgrade.h"

#include <algorithm>

#include "protocol/http/codec/base64.h"
#include "protocol/http/codec/target.h"
#include "runtime/sha1.h"

namespace weir::http {
namespace {

constexpr std::string_view version = "13";
constexpr std::size_t key_bytes = 16;
constexpr std::string_view key_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// The words of a header that is a list, however many lines it has.
std::vector<std::string_view> words_of(const Request& request, std::string_view name) {
  std::vector<std::string_view> words;
  for (const Header& header : request.headers) {
    if (!same_name(header.name, name)) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view word = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      while (word.starts_with(' ') || word.starts_with('\t')) word.remove_prefix(1);
      while (word.ends_with(' ') || word.ends_with('\t')) word.remove_suffix(1);
      if (!word.empty()) words.push_back(word);
    }
  }
  return words;
}

bool has_word(const Request& request, std::string_view name, std::string_view word) {
  const std::vector<std::string_view> words = words_of(request, name);
  return std::any_of(words.begin(), words.end(), [&](std::string_view one) { return same_name(one, word); });
}

// Null: there is none, or there are several.
const std::string* only_header(const Request& request, std::string_view name) {
  const std::string* found = nullptr;
  for (const Header& header : request.headers) {
    if (!same_name(header.name, name)) continue;
    if (found != nullptr) return nullptr;
    found = &header.value;
  }
  return found;
}

bool is_path(std::string_view target, std::string_view path) {
  const std::optional<Target> asked = parse_target(target), served = parse_target(path);
  return asked && served && asked->path == served->path;
}

bool may_come(const Request& request, const WebSocketOptions& options) {
  const std::string* const origin = request.header("Origin");
  return origin == nullptr ||
         std::any_of(options.allow_origins.begin(), options.allow_origins.end(),
                     [&](const std::string& one) { return one == "*" || one == *origin; });
}

Response refusal(unsigned status, std::string_view reason) {
  Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body = std::string(reason) + "\n";
  return response;
}

Response upgrade_needed(std::string_view reason) {
  Response response = refusal(426, reason);
  response.headers.push_back({"Connection", "Upgrade"});
  response.headers.push_back({"Upgrade", "websocket"});
  response.headers.push_back({"Sec-WebSocket-Version", std::string(version)});
  return response;
}

std::string accept_key(std::string_view key) {
  const auto digest = runtime::sha1(as_bytes(std::string(key) + std::string(key_suffix)));
  return base64_encode(as_text(digest));
}

}  // namespace

Response answer_upgrade(const Request& request, const WebSocketOptions& options) {
  if (!is_path(request.target, options.path)) return refusal(404, "WebSockets are at " + options.path);
  if (request.method != "GET") {
    Response response = refusal(405, "a WebSocket begins with GET");
    response.headers.push_back({"Allow", "GET"});
    return response;
  }
  if (!has_word(request, "Connection", "Upgrade") || !has_word(request, "Upgrade", "websocket"))
    return upgrade_needed("WebSockets are spoken here");
  if (!request.takes_pieces) return refusal(400, "a WebSocket begins with HTTP/1.1");
  const std::string* const wanted = only_header(request, "Sec-WebSocket-Version");
  if (wanted == nullptr || *wanted != version)
    return upgrade_needed("the only version of WebSocket here is 13");
  const std::string* const key = only_header(request, "Sec-WebSocket-Key");
  const std::optional<std::string> nonce = key == nullptr ? std::nullopt : base64_decode(*key);
  if (!nonce || nonce->size() != key_bytes)
    return refusal(400, "one Sec-WebSocket-Key is needed, 16 bytes in base64");
  if (!may_come(request, options)) return refusal(403, "pages of this origin may not come here");

  Response response;
  response.status = 101;
  response.headers.push_back({"Upgrade", "websocket"});
  response.headers.push_back({"Connection", "Upgrade"});
  response.headers.push_back({"Sec-WebSocket-Accept", accept_key(*key)});
  const std::vector<std::string_view> offered = words_of(request, "Sec-WebSocket-Protocol");
  for (const std::string& one : options.sub_protocols) {
    if (std::find(offered.begin(), offered.end(), one) == offered.end()) continue;
    response.headers.push_back({"Sec-WebSocket-Protocol", one});
    return response;
  }
  if (options.sub_protocol_needed) return refusal(400, "none of the sub-protocols is spoken here");
  return response;
}

}  // namespace weir::http
