#include "admin/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "admin/rights.h"
#include "admin/utf8.h"
#include "base/assert.h"
#include "base/audit_log.h"
#include "base/log.h"
#include "protocol/http/codec/base64.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view challenge = "Basic realm=\"RabbitMQ Management\"";

// "Basic dXNlcjpwYXNz", or "Bearer" and an access token, which says itself whose it is.
bool read_credentials(const std::string* header, node::Credentials& out) {
  const std::string_view text = header == nullptr ? std::string_view() : *header;
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view scheme = text.substr(0, space), rest = text.substr(std::min(space + 1, text.size()));
  if (http::same_name(scheme, "Bearer")) {
    out.password = rest;
    return !rest.empty();
  }
  if (!http::same_name(scheme, "Basic")) return false;
  const auto decoded = http::base64_decode(rest);
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return false;
  out.user = decoded->substr(0, colon);
  out.password = decoded->substr(colon + 1);
  return true;
}

}  // namespace

Call::Call(Api& api, std::shared_ptr<http::Exchange> exchange, http::Target target, RouteTable::Found found)
    : api_(api), exchange_(std::move(exchange)), target_(std::move(target)), found_(std::move(found)) {}

// --- who ---

void Call::log_in() {
  if (found_.route->needs == Needs::nothing) return exchange_->expect_body(found_.route->body_bytes_max);
  if (!read_credentials(exchange_->request().header("Authorization"), credentials_)) {
    http::Response response;
    response.status = 401;
    response.headers.push_back({"WWW-Authenticate", std::string(challenge)});
    return reply(std::move(response));
  }
  credentials_.loopback = peer().loopback;
  node::BrokerClient& client = api_.at().client;
  const std::uint64_t delay_ms =
      api_.login_delays().delay_ms(peer().address, credentials_.user, client.timers().now_ms());
  if (delay_ms == 0) return authenticate();
  client.timers().arm(login_, delay_ms);
}

void Call::authenticate() {
  // The answer may come at once, and with it the end of this call.
  const auto kept = keep();
  auto pending = api_.at().client.authenticate(credentials_, [this](Result<node::Identity> identity) {
    const auto in_work = keep();
    on_authenticated(std::move(identity));
  });
  authentication_ = std::move(pending);
}

void Call::on_authenticated(Result<node::Identity> identity) {
  const bool right = identity.has_value();
  if (right || identity.error().code == ErrorCode::access_refused)
    api_.login_delays().note(peer().address, credentials_.user, right, api_.at().client.timers().now_ms());
  credentials_.password.clear();
  if (!right) {
    log_warning("admin", "login of user '{}' from {} refused: {}", credentials_.user, peer().address,
                identity.error().message);
    if (identity.error().code != ErrorCode::access_refused) return refuse(identity.error());
    return refuse(401, "not_authorized", "Login failed");
  }
  identity_ = std::move(*identity);
  if (admitted()) exchange_->expect_body(found_.route->body_bytes_max);
}

bool Call::admitted() {
  const std::string_view missing = missing_right(rights_of(identity_.tags), found_.route->needs);
  if (!missing.empty()) {
    not_authorised(missing);
    return false;
  }
  const auto vhost = found_.captures.find("vhost");
  if (vhost == found_.captures.end()) return true;
  if (topology().find_vhost(vhost->second) == nullptr) {
    if (found_.route->vhost_may_be_missing) return true;
    if (found_.route->method == "PUT") {
      refuse(404, "not_found", "vhost_not_found");
    } else {
      not_found();
    }
    return false;
  }
  const bool looks = found_.route->method == "GET" && is_monitor();
  if (looks || sees(vhost->second)) return true;
  not_authorised("User not authorised to access virtual host");
  return false;
}

bool Call::is_administrator() const { return rights_of(identity_.tags).administrator; }
bool Call::is_monitor() const { return rights_of(identity_.tags).monitor; }
bool Call::sees(std::string_view vhost) const {
  return is_administrator() ||
         topology().authorize_vhost({user(), identity_.grants.get()}, vhost).has_value();
}
bool Call::knows_of(std::string_view vhost) const { return is_monitor() || sees(vhost); }

std::vector<const broker::VhostDefinition*> Call::vhosts() const {
  std::vector<const broker::VhostDefinition*> seen;
  if (captures("vhost")) {
    // It may have gone since the call was let in.
    const broker::VhostDefinition* const named = topology().find_vhost(capture("vhost"));
    if (named != nullptr) seen.push_back(named);
    return seen;
  }
  for (const broker::VhostDefinition* vhost : topology().vhosts()) {
    if (sees(vhost->name)) seen.push_back(vhost);
  }
  return seen;
}

// --- what ---

void Call::answer() { found_.route->answer(*this); }

const std::string& Call::capture(std::string_view name) const {
  const auto found = found_.captures.find(name);
  WEIR_ASSERT(found != found_.captures.end());  // the route's pattern has it
  return found->second;
}

bool Call::captures(std::string_view name) const { return found_.captures.contains(name); }

std::string Call::parameter(std::string_view name) const {
  const std::string* const found = target_.parameter(name);
  return found == nullptr ? std::string() : *found;
}

const json::object* Call::json() {
  const std::string_view text = body();
  if (text.empty() || text == "null" || text == "undefined") {
    json_ = json::object();
    return json_.if_object();
  }
  json::error_code error;
  json_ = json::parse(text, error);
  if (!error && json_.is_object()) return json_.if_object();
  bad_request(
      json_.is_string() && !error
          ? "invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?"
          : "not_json");
  return nullptr;
}

bool Call::lacks(std::initializer_list<std::string_view> keys) {
  std::vector<std::string> missing;
  for (const std::string_view key : keys) {
    if (!says(key)) missing.push_back(fmt::format("{{key_missing,{}}}", key));
  }
  if (missing.empty()) return false;
  bad_request(fmt::format("[{}]", fmt::join(missing, ",")));
  return true;
}

bool Call::says(std::string_view key) const { return json_.is_object() && json_.get_object().contains(key); }

// --- answers ---

// What looks, and what does to messages only what clients do, is not for the audit.
bool Call::is_audited() const {
  const http::Request& request = exchange_->request();
  if (found_.route == nullptr || request.method == "GET" || request.method == "HEAD" || !audit_wanted())
    return false;
  return !found_.route->on_messages;
}

void Call::reply(http::Response response) {
  if (is_audited()) {
    const http::Request& request = exchange_->request();
    const std::string from = fmt::format("{}:{}", peer().address, peer().port);
    const std::string reason = response.status < 400 ? "" : std::string(http::reason_phrase(response.status));
    audit({.user = identity_.user.empty() ? credentials_.user : identity_.user,
           .peer = from,
           .protocol = "HTTP",
           .vhost = "",
           .action = request.method,
           .object = request.target,
           .reason = reason,
           .status = response.status});
  }
  exchange_->reply(std::move(response));
}

namespace {

http::Response json_response(unsigned status, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "application/json"});
  response.headers.push_back({"Cache-Control", "no-cache"});
  response.body = make_utf8(std::move(text));
  return response;
}

}  // namespace

void Call::reply_json(unsigned status, std::string text) { reply(json_response(status, std::move(text))); }

void Call::begin_pieces(std::string text, std::function<void()> wanted) {
  http::Response response = json_response(200, std::move(text));
  response.in_pieces = true;
  exchange_->wanted = std::move(wanted);
  reply(std::move(response));
}

void Call::next_piece(std::string text, bool last) { exchange_->more(make_utf8(std::move(text)), last); }

void Call::ok(const json::value& value) { reply_json(200, json::serialize(value)); }

void Call::put_done(bool was_there) {
  if (was_there) return no_content();
  http::Response response;
  response.status = 201;
  reply(std::move(response));
}

void Call::no_content() {
  http::Response response;
  response.status = 204;
  reply(std::move(response));
}

void Call::refuse(unsigned status, std::string_view error, std::string_view reason) {
  json::object body;
  body["error"] = error;
  body["reason"] = reason;
  http::Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "application/json"});
  // Another password would help.
  if (error == "not_authorized") response.headers.push_back({"WWW-Authenticate", std::string(challenge)});
  response.body = make_utf8(json::serialize(body));
  reply(std::move(response));
}

void Call::not_found() { refuse(404, "Object Not Found", "Not Found"); }
void Call::not_authorised(std::string_view reason) { refuse(401, "not_authorised", reason); }

void Call::refuse(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found: return refuse(404, "not_found", error.message);
    case ErrorCode::access_refused: return not_authorised("Access refused.");
    case ErrorCode::overloaded: return refuse(503, "service_unavailable", error.message);
    default: return bad_request(error.message);
  }
}

bool Call::refuse_bad(const Status& status) {
  if (!status) refuse(status.error());
  return !status;
}

// --- to the broker ---

void Call::decide(broker::Request request, std::function<void()> then) {
  api_.at().decide(std::move(request), [call = keep(), then = std::move(then)](const auto& decision) {
    if (!decision) return call->refuse(decision.error());
    then();
  });
}

namespace {

// Some at a time: they share commits, and those that depend on each other wait for each other there.
struct Batch {
  static constexpr std::size_t at_a_time = 1'024;

  std::shared_ptr<Call> call;
  std::vector<broker::Request> requests;
  std::function<void()> then;
  std::size_t next = 0, open = 0;
  bool failed = false;
};

void decide_some(const std::shared_ptr<Batch>& batch) {
  const std::size_t end = std::min(batch->requests.size(), batch->next + Batch::at_a_time);
  batch->open = end - batch->next;
  while (batch->next < end) {
    broker::Request& request = batch->requests[batch->next++];
    batch->call->api().at().decide(std::move(request), [batch](const auto& decision) {
      if (!decision && !std::exchange(batch->failed, true)) batch->call->refuse(decision.error());
      if (--batch->open > 0 || batch->failed) return;
      if (batch->next == batch->requests.size()) return batch->then();
      decide_some(batch);
    });
  }
}

}  // namespace

void Call::decide_all(std::vector<broker::Request> requests, std::function<void()> then) {
  if (requests.empty()) return then();
  const auto batch = std::make_shared<Batch>();
  batch->call = keep();
  batch->requests = std::move(requests);
  batch->then = std::move(then);
  decide_some(batch);
}

bool Call::offload(std::function<void()> work, std::function<void()> then) {
  if (api_.at().offload(std::move(work), [call = keep(), then = std::move(then)] { then(); })) return true;
  refuse(503, "service_unavailable", "too much is waiting to be worked on");
  return false;
}

namespace {

HistoryList those_there(std::shared_ptr<const History> history) {
  return history == nullptr ? HistoryList() : HistoryList{std::move(history)};
}

}  // namespace

HistoryList Call::histories_of(const std::string& vhost) const {
  const Recorder* const recorder = api_.recorder();
  return recorder == nullptr ? HistoryList() : those_there(recorder->of_vhost(vhost));
}

HistoryList Call::histories_of(const broker::ExchangeDefinition& exchange) const {
  const Recorder* const recorder = api_.recorder();
  if (recorder == nullptr) return {};
  return those_there(recorder->of_exchange({exchange.vhost, exchange.name}));
}

std::optional<SampleRanges> Call::sample_ranges() {
  const auto ranges = read_sample_ranges(target_, api_.at().client.clock().wall_ms());
  if (ranges) return *ranges;
  refuse(400, ranges.error().error, ranges.error().reason);
  return std::nullopt;
}

void Call::observe(node::ObserveScope scope, std::function<void(Call&, node::Observed&&)> then) {
  api_.call_waits(keep());
  question_ =
      api_.at().client.observe(std::move(scope), [this, then = std::move(then)](node::Observed&& seen) {
        const auto kept = keep();
        api_.call_goes_on(kept);
        then(*this, std::move(seen));
      });
}

}  // namespace weir::admin
