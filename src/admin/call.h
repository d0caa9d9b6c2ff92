// What it is: one call of the API: who makes it, what its path and body say, and how it is answered.
// Lifetime: whoever goes on with it later keeps it (keep()); answering after its connection is gone does nothing.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/api.h"
#include "admin/route.h"
#include "admin/sample_views.h"
#include "base/error.h"
#include "broker/topology.h"
#include "node/identity.h"
#include "node/observe.h"
#include "node/session.h"
#include "protocol/http/codec/target.h"
#include "protocol/http/exchange.h"
#include "runtime/timers.h"

namespace weir::admin {

class Call final : public std::enable_shared_from_this<Call> {
 public:
  Call(Api& api, std::shared_ptr<http::Exchange> exchange, http::Target target, RouteTable::Found found);

  std::shared_ptr<Call> keep() { return shared_from_this(); }

  // --- who ---
  const std::string& user() const { return identity_.user; }
  const node::Identity& identity() const { return identity_; }
  bool is_administrator() const;
  bool is_monitor() const;  // or administrator
  // Administrators see all vhosts, the others those that they may use.
  bool sees(std::string_view vhost) const;
  // Monitors learn of all vhosts.
  bool knows_of(std::string_view vhost) const;
  // That of the path; if it has none, those that the user sees.
  std::vector<const broker::VhostDefinition*> vhosts() const;

  // --- what ---
  const http::Target& target() const { return target_; }
  const std::string& capture(std::string_view name) const;  // of ":name" in the route's pattern
  bool captures(std::string_view name) const;
  std::string parameter(std::string_view name) const;  // empty: there is none
  const std::string* header(std::string_view name) const { return exchange_->request().header(name); }
  const std::string& body() const { return exchange_->request().body; }
  bool alive() const { return exchange_->alive(); }  // somebody waits for the answer
  // An object, and empty if there is no body. Refuses the call and returns null if it is none.
  const boost::json::object* json();
  bool says(std::string_view key) const;  // whether json() has it
  // True, and the call is refused, if json() has not all of them.
  bool lacks(std::initializer_list<std::string_view> keys);

  Api& api() const { return api_; }
  const broker::Topology& topology() const { return api_.at().client.topology(); }
  const runtime::PeerInfo& peer() const { return exchange_->peer(); }

  // --- answers: one of them, once ---
  void ok(const boost::json::value& value);
  void put_done(bool was_there);  // 204, or 201 for what is new
  void no_content();              // 204
  void reply(http::Response response);
  void reply_json(unsigned status, std::string text);
  // 200 and JSON in pieces, each cut where no character is: the first one, and the next whenever `wanted` comes.
  bool takes_pieces() const { return exchange_->request().takes_pieces; }
  void begin_pieces(std::string text, std::function<void()> wanted);
  void next_piece(std::string text, bool last);
  void give_up() { exchange_->give_up(); }
  void refuse(unsigned status, std::string_view error, std::string_view reason);
  void bad_request(std::string_view reason) { refuse(400, "bad_request", reason); }
  void not_found();
  void not_authorised(std::string_view reason);
  void refuse(const Error& error);
  // True, and the call is refused, if it is an error.
  bool refuse_bad(const Status& status);

  // --- to the broker; `then` comes only if it went well ---
  void decide(broker::Request request, std::function<void()> then);
  // All that they are, in order; the first error is the answer.
  void decide_all(std::vector<broker::Request> requests, std::function<void()> then);
  // Off the shard's thread, and then on it. False: the call is refused, too much is waiting.
  bool offload(std::function<void()> work, std::function<void()> then);

  // How they were: none, where nothing has happened to them, or nobody records it.
  HistoryList histories_of(const std::string& vhost) const;
  HistoryList histories_of(const broker::ExchangeDefinition& exchange) const;
  // For samples. nullopt: the call is refused.
  std::optional<SampleRanges> sample_ranges();
  // What all shards have of it at this moment, gathered in pieces; `then` comes later.
  void observe(node::ObserveScope scope, std::function<void(Call&, node::Observed&&)> then);

  // --- for the Api ---
  void log_in();
  void answer();

 private:
  void authenticate();
  void on_authenticated(Result<node::Identity> identity);
  bool admitted();
  bool is_audited() const;

  Api& api_;
  const std::shared_ptr<http::Exchange> exchange_;
  const http::Target target_;
  const RouteTable::Found found_;
  node::Credentials credentials_;
  node::Identity identity_;
  std::unique_ptr<node::Authentication> authentication_;
  std::unique_ptr<node::Observing> question_;
  boost::json::value json_;
  runtime::MethodTimer<Call, &Call::authenticate> login_{*this};
};

}  // namespace weir::admin
