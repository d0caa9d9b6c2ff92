#include "admin/api.h"

#include <fmt/format.h>

#include <utility>

#include "admin/call.h"
#include "admin/call_session.h"
#include "protocol/http/codec/target.h"

namespace weir::admin {
namespace {

http::Response plain_answer(unsigned status, const std::vector<std::string>& allowed) {
  http::Response response;
  response.status = status;
  response.headers.push_back({"Allow", fmt::format("{}", fmt::join(allowed, ", "))});
  return response;
}

}  // namespace

Api::Api(ApiSurroundings surroundings, ServerFacts facts)
    : at_(std::move(surroundings)), facts_(std::move(facts)), routes_(api_routes()), table_(routes_) {}

Api::~Api() = default;

void Api::record() {
  recorder_ = std::make_unique<Recorder>(Recorder::Surroundings{at_.client, at_.offload, at_.measure});
}

void Api::session_begins(CallSession& session) { sessions_.insert(&session); }

void Api::session_ends(CallSession& session, std::unique_ptr<node::Session> broker_session) {
  sessions_.erase(&session);
  if (broker_session == nullptr) return;
  ended_.push_back(std::move(broker_session));
  at_.client.at_turn_end(*this);
}

void Api::end_sessions() {
  while (!sessions_.empty()) (*sessions_.begin())->end();
  waiting_.clear();
  work_.clear();
  recorder_.reset();
  ended_.clear();
  at_.client.forget_turn_end(*this);
}

void Api::on_head(const std::shared_ptr<http::Exchange>& exchange) {
  const http::Request& request = exchange->request();
  auto target = http::parse_target(request.target);
  RouteTable::Found found;
  if (target) found = table_.find(request.method, target->path);
  const bool known = target && !found.allowed.empty();
  exchange->also = cross_origin_headers(facts_.cross_origin, request, found.allowed);
  if (known && request.method == "OPTIONS") return exchange->reply(plain_answer(200, found.allowed));
  if (known && found.route == nullptr) return exchange->reply(plain_answer(405, found.allowed));
  const bool readable = target.has_value();
  const auto call = std::make_shared<Call>(*this, exchange, readable ? std::move(*target) : http::Target{},
                                           std::move(found));
  if (!readable) return call->bad_request("the path or the query is not well-formed");
  if (!known) return call->not_found();
  exchange->context = call;
  call->log_in();
}

void Api::on_request(const std::shared_ptr<http::Exchange>& exchange) {
  const auto call = std::static_pointer_cast<Call>(std::exchange(exchange->context, nullptr));
  if (call != nullptr) call->answer();
}

}  // namespace weir::admin
