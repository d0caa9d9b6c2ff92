#include "admin/call_session.h"

#include <utility>

namespace weir::admin {

std::shared_ptr<CallSession> CallSession::open(Call& call) {
  auto opened = std::make_shared<CallSession>(call);
  auto session = call.api().at().client.open_session({.user = call.user(),
                                                      .vhost = opened->vhost_,
                                                      .protocol = "HTTP",
                                                      .client = "management API",
                                                      .peer = call.peer(),
                                                      .grants = call.identity().grants,
                                                      .expires_ms = call.identity().expires_ms},
                                                     *opened);
  if (!session) {
    call.refuse(session.error());
    return nullptr;
  }
  opened->session_ = std::move(*session);
  return opened;
}

CallSession::CallSession(Call& call) : call_(call.keep()), api_(call.api()), vhost_(call.capture("vhost")) {
  api_.session_begins(*this);
}

CallSession::~CallSession() { end(); }

// Events come from inside of the session: it is destroyed at the end of the turn.
void CallSession::end() {
  const auto kept = weak_from_this().lock();  // `then_` may hold the last reference
  api_.session_ends(*this, std::move(session_));
  then_ = nullptr;
  published_ = nullptr;
  body_.then = nullptr;
}

bool CallSession::may(broker::Access access, broker::DestinationKind kind, std::string_view name) {
  const Status permitted = session_->authorize(access, kind, name);
  if (!permitted) fail(permitted.error());
  return permitted.has_value();
}

// The answer may come inside of the call, and nobody else may keep this.
void CallSession::request(const std::function<void(node::Session&)>& ask,
                          std::function<void(node::ReplyValue&)> then) {
  const auto kept = shared_from_this();
  then_ = [kept, then = std::move(then)](node::ReplyValue& value) { then(value); };
  ask(*session_);
}

void CallSession::publish(const PlainMessage& message, std::function<void(bool routed)> then) {
  const auto kept = shared_from_this();
  published_ = [kept, then = std::move(then)](bool routed) { then(routed); };
  if (!alarm_.empty()) return fail({ErrorCode::overloaded, "publishers wait: low on " + alarm_});
  const auto result = api_.at().messages.publish(*session_, message, 1, 1);
  if (!result) return fail(result.error());
  routed_ = *result == node::PublishResult::routed;
}

void CallSession::settle(QueueId queue, Seq seq, node::Outcome outcome) {
  session_->settle(node::no_consumer, queue, seq, outcome);
}

void CallSession::read(node::BodyNumber body, std::size_t bytes_max, std::function<void(std::string)> then) {
  const auto kept = shared_from_this();
  body_ = {bytes_max, {}, [kept, then = std::move(then)](std::string bytes) { then(std::move(bytes)); }};
  session_->read_body(body);
}

void CallSession::on_body_piece(node::BodyNumber body, Result<node::BodyPiece> piece) {
  const auto kept = shared_from_this();
  if (!body_.then) return;
  if (!piece) {
    session_->close_body(body);
    return fail(piece.error());
  }
  const std::string_view bytes = as_text(piece->bytes).substr(0, body_.left);
  body_.bytes += bytes;
  body_.left -= bytes.size();
  if (body_.left > 0) return session_->read_body(body);
  session_->close_body(body);
  const auto then = std::exchange(body_.then, nullptr);
  then(std::move(body_.bytes));
}

void CallSession::on_reply(node::Reply reply) {
  const auto kept = shared_from_this();
  const auto then = std::exchange(then_, nullptr);
  if (!reply) return fail(reply.error());
  if (then) then(*reply);
}

void CallSession::on_rejected(node::PublisherNumber, std::uint64_t, std::uint64_t) { rejected_ = true; }

void CallSession::on_confirmed(node::PublisherNumber, std::uint64_t) {
  const auto then = std::exchange(published_, nullptr);
  if (!then) return;
  if (rejected_) return fail({ErrorCode::limit_exceeded, "rejected"});
  then(routed_);
}

void CallSession::on_close_wanted(const Error& reason) { fail(reason); }

void CallSession::fail(const Error& error) {
  const auto kept = shared_from_this();
  if (on_error) {
    on_error(*call_, error);
  } else {
    call_->refuse(error);
  }
  end();
}

}  // namespace weir::admin
