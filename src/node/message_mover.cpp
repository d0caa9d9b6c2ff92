#include "node/message_mover.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/death_history.h"
#include "broker/message_extras.h"
#include "node/stored_headers.h"

namespace weir::node {

namespace {

// Taken, published and settled together.
constexpr std::uint64_t batch_messages = 500;
constexpr std::uint64_t batch_bytes = 2U << 20;
constexpr PublisherNumber publisher = 1;

std::uint64_t left_of(std::uint64_t max, std::uint64_t used) { return max == 0 ? 0 : max - used; }
bool reached(std::uint64_t max, std::uint64_t used) { return max != 0 && used >= max; }

}  // namespace

MessageMover::MessageMover(BrokerClient& client, MoveOptions options,
                           std::function<void(Result<MoveReport>)> done)
    : client_(client), options_(std::move(options)), done_(std::move(done)) {}

MessageMover::~MessageMover() {
  put_back();
  client_.forget_turn_end(*this);
}

Status MessageMover::begin(SessionInfo info) {
  auto session = client_.open_session(std::move(info), *this);
  if (!session) return std::unexpected(std::move(session).error());
  session_ = std::move(*session);
  WEIR_TRY(session_->authorize(broker::Access::read, broker::DestinationKind::queue, options_.walk.queue));
  const std::string& exchange = options_.exchange;
  const std::string& vhost = session_->info().vhost;
  WEIR_TRY(session_->authorize(broker::Access::write, broker::DestinationKind::exchange,
                               exchange.empty() ? "amq.default" : exchange));
  if (client_.topology().find_exchange(vhost, exchange) == nullptr)
    return fail(ErrorCode::not_found, fmt::format("no exchange '{}' in vhost '{}'", exchange, vhost));
  if (!report_.stopped.empty()) return fail(ErrorCode::overloaded, report_.stopped);
  began_ms_ = client_.clock().monotonic_ns() / 1'000'000;
  walk_on();
  return {};
}

// --- taking ---

bool MessageMover::bounded() const {
  const WalkOptions& whole = options_.walk;
  return reached(whole.found_max, report_.found) || reached(whole.looked_at_max, report_.looked_at) ||
         reached(whole.read_bytes_max, report_.read_bytes) ||
         reached(whole.time_max_ms, client_.clock().monotonic_ns() / 1'000'000 - began_ms_);
}

void MessageMover::walk_on() {
  WalkOptions walk = options_.walk;
  walk.what = options_.copies ? WalkOptions::Do::show : WalkOptions::Do::take;
  walk.count_only = false;
  walk.body_bytes_max = UINT64_MAX;
  walk.brought_bytes_max = batch_bytes;
  const std::uint64_t found_left = left_of(walk.found_max, report_.found);
  walk.found_max = found_left == 0 ? batch_messages : std::min(batch_messages, found_left);
  walk.looked_at_max = left_of(walk.looked_at_max, report_.looked_at);
  walk.read_bytes_max = left_of(walk.read_bytes_max, report_.read_bytes);
  walk.time_max_ms = left_of(walk.time_max_ms, client_.clock().monotonic_ns() / 1'000'000 - began_ms_);
  if (walked_once_) {
    walk.only = report_.queue;
    walk.from = {WalkFrom::At::seq, report_.next.value};
    walk.until = report_.until;
  }
  session_->walk(std::move(walk));
}

void MessageMover::on_reply(Reply reply) {
  if (!reply) {
    if (!walked_once_) return finish(std::unexpected(std::move(reply).error()));
    report_.stopped = reply.error().message;
    return finish(report_);
  }
  walked_ = std::move(std::get<WalkedRef>(*reply));
  if (result_) return put_back();
  take_walked();
  publish_on();
}

void MessageMover::take_walked() {
  const Walked& walked = *walked_;
  walked_once_ = true;
  report_.queue = walked.queue;
  report_.next = walked.next;
  report_.until = walked.until;
  report_.done = walked.done;
  report_.looked_at += walked.looked_at;
  report_.found += walked.found;
  report_.read_bytes += walked.read_bytes;
  report_.bodies_unread += walked.bodies_unread;
  report_.unreadable += walked.unreadable;
  if (report_.messages_there == 0) report_.messages_there = walked.messages_there;
  stays_.assign(walked.messages.size(), false);
  sent_.clear();
  next_ = 0;
  first_seq_ = seq_ + 1;
}

// --- publishing ---

void MessageMover::publish_on() {
  while (next_ < walked_->messages.size()) {
    if (!publish_one(walked_->messages[next_])) return;
    if (next_ < walked_->messages.size()) ++next_;
  }
  consider_settling();
}

// The message that is next stays where it is.
void MessageMover::stay(std::uint64_t& count) {
  stays_[next_] = true;
  ++count;
}

// None of those that are left is published.
void MessageMover::stop(std::string why) {
  report_.stopped = std::move(why);
  if (next_ >= walked_->messages.size()) return;
  report_.next = walked_->messages[next_].seq;
  report_.done = false;
  report_.found -= walked_->messages.size() - next_;
  for (; next_ < walked_->messages.size(); ++next_) {
    stays_[next_] = true;
    close(walked_->messages[next_]);
  }
}

const std::string* MessageMover::find_key(const WalkedMessage& message) {
  const broker::StoredMessage stored = message.message();
  switch (options_.to) {
    case MoveOptions::To::exchange:
    case MoveOptions::To::queue:
      key_ = options_.routing_key ? *options_.routing_key : std::string(stored.routing_key);
      return &key_;
    case MoveOptions::To::first_death:
    case MoveOptions::To::last_death: break;
  }
  const auto history = broker::decode_deaths(broker::view_extras(stored.extras).deaths);
  if (!history || history->deaths.empty()) return nullptr;
  const std::vector<broker::Death>& deaths = history->deaths;
  const auto first =
      std::find_if(deaths.begin(), deaths.end(), [](const broker::Death& death) { return death.first; });
  const bool last = options_.to == MoveOptions::To::last_death;
  key_ = last ? deaths.front().queue : first != deaths.end() ? first->queue : deaths.back().queue;
  return &key_;
}

bool MessageMover::publish_one(WalkedMessage& message) {
  if (find_key(message) == nullptr) {
    stay(report_.without_death);
    close(message);
    return true;
  }
  if (message.body != no_body) return publish_large(message);
  if (message.body_bytes != message.message().body.size()) {  // a large body that is damaged
    stay(report_.unreadable);
    return true;
  }
  return publish_whole(message);
}

// As it is stored, but for what was about its way to this queue.
template <typename Call>
auto MessageMover::with_publish(const WalkedMessage& message, std::uint64_t seq, Call&& call) {
  const broker::StoredMessage stored = message.message();
  const broker::MessageExtras before = broker::view_extras(stored.extras);
  broker::MessageExtras extras;
  extras.ttl_ms = before.ttl_ms;
  extras.deliver_ms = std::min(before.deliver_ms, client_.clock().wall_ms());
  extras.group = before.group;
  extras.deaths = before.deaths;
  std::vector<std::byte> encoded;
  broker::append_extras(encoded, extras);
  StoredHeaders headers(client_.headers_of(), stored, rng_);
  Publish publish;
  publish.publisher = publisher;
  publish.seq = seq;
  publish.message = {.native = stored.native,
                     .persistent = stored.persistent,
                     .priority = stored.priority,
                     .exchange = options_.exchange,
                     .routing_key = key_,
                     .extras = encoded,
                     .properties = stored.properties,
                     .body = {&stored.body, 1},
                     .body_bytes = message.body_bytes};
  publish.chunk = message.chunk.get();
  publish.headers = &headers;
  return call(publish);
}

bool MessageMover::publish_whole(const WalkedMessage& message) {
  const auto result =
      with_publish(message, seq_ + 1, [this](const Publish& publish) { return session_->publish(publish); });
  if (!result) {
    stop(result.error().message);
    return true;
  }
  ++seq_;
  sent_.push_back(next_);
  if (*result == PublishResult::unroutable) stay(report_.unroutable);
  return true;
}

bool MessageMover::publish_large(WalkedMessage& message) {
  const auto begun =
      with_publish(message, 0, [this](const Publish& publish) { return session_->begin_body(publish); });
  if (!begun) {
    stop(begun.error().message);
    return true;
  }
  if (begun->body == no_body || begun->result == PublishResult::unroutable) {
    if (begun->body != no_body) session_->abort_body(begun->body);
    stay(report_.unroutable);
    close(message);
    return true;
  }
  writing_ = begun->body;
  left_bytes_ = message.body_bytes;
  session_->read_body(message.body);
  return false;
}

void MessageMover::on_body_piece(BodyNumber body, Result<BodyPiece> piece) {
  if (writing_ == no_body || walked_ == nullptr || walked_->messages[next_].body != body) return;
  if (!piece) {
    session_->abort_body(std::exchange(writing_, no_body));
    stay(report_.unreadable);
    close(walked_->messages[next_]);
    ++next_;
    return publish_on();
  }
  left_bytes_ -= piece->bytes.size();
  session_->append_body(writing_, piece->bytes, piece->chunk);
  if (left_bytes_ == 0) return finish_large();
  if (flow_open_) return session_->read_body(body);
  waits_for_flow_ = true;
}

void MessageMover::finish_large() {
  WalkedMessage& message = walked_->messages[next_];
  find_key(message);
  with_publish(message, ++seq_, [this](const Publish& publish) { session_->finish_body(writing_, publish); });
  writing_ = no_body;
  sent_.push_back(next_);
  close(message);
  ++next_;
  publish_on();
}

void MessageMover::close(WalkedMessage& message) {
  if (message.body != no_body) session_->close_body(std::exchange(message.body, no_body));
}

// --- settling ---

void MessageMover::on_rejected(PublisherNumber, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = std::max(first, first_seq_); seq <= last && seq <= seq_; ++seq) {
    stays_[sent_[seq - first_seq_]] = true;
    ++report_.rejected;
  }
}

void MessageMover::on_confirmed(PublisherNumber, std::uint64_t up_to) {
  confirmed_ = std::max(confirmed_, up_to);
  if (settled_ && confirmed_ >= seq_) return finish(report_);
  if (walked_ != nullptr && next_ == walked_->messages.size()) consider_settling();
}

void MessageMover::consider_settling() {
  if (confirmed_ < seq_) return;
  const bool ends = report_.done || bounded() || !report_.stopped.empty();
  const bool settles = settle_all(ends);
  if (!ends) {
    if (flow_open_) return walk_on();
    waits_for_flow_ = true;
  } else if (!settles) {
    finish(report_);
  }
}

// Those of the last walk are durable before it ends, and with them all before: what is told to be moved has gone for good.
// False: nothing is to be waited for.
bool MessageMover::settle_all(bool last) {
  std::size_t together_at = walked_->messages.size();
  while (last && !options_.copies && together_at > 0 && stays_[together_at - 1]) --together_at;
  std::unique_ptr<Transaction> together;
  for (std::size_t i = 0; i < walked_->messages.size(); ++i) {
    if (!stays_[i]) ++report_.moved;
    if (options_.copies) continue;
    const Seq seq = walked_->messages[i].seq;
    if (last && i + 1 == together_at) {
      together = session_->begin_transaction();
      if (together->settle(no_consumer, walked_->queue, seq, Outcome::accept)) continue;
      together.reset();
    }
    session_->settle(no_consumer, walked_->queue, seq, stays_[i] ? Outcome::restore : Outcome::accept);
  }
  walked_.reset();
  if (together == nullptr) return false;
  settled_ = true;
  session_->commit(std::move(together), publisher, ++seq_);
  return true;
}

// Whatever has become of the copies.
void MessageMover::put_back() {
  if (walked_ == nullptr) return;
  if (writing_ != no_body) session_->abort_body(std::exchange(writing_, no_body));
  for (WalkedMessage& message : walked_->messages) {
    close(message);
    if (!options_.copies) session_->settle(no_consumer, walked_->queue, message.seq, Outcome::restore);
  }
  walked_.reset();
}

// --- what else happens ---

void MessageMover::on_publish_flow(bool open, std::string_view alarm) {
  flow_open_ = open;
  if (open && std::exchange(waits_for_flow_, false)) {
    if (writing_ != no_body) return session_->read_body(walked_->messages[next_].body);
    return walk_on();
  }
  if (open || alarm.empty()) return;
  // It may last: nothing more is begun.
  report_.stopped = fmt::format("publishers wait: low on {}", alarm);
  if (!std::exchange(waits_for_flow_, false)) return;
  if (writing_ != no_body) {
    session_->abort_body(std::exchange(writing_, no_body));
    stop(report_.stopped);
    return consider_settling();
  }
  finish(report_);
}

void MessageMover::on_close_wanted(const Error& reason) {
  if (walked_ != nullptr) {
    report_.next = walked_->messages.empty() ? report_.next : walked_->messages.front().seq;
    report_.found -= walked_->messages.size();
  }
  report_.done = false;
  report_.stopped = reason.message;
  put_back();
  finish(report_);
}

void MessageMover::finish(Result<MoveReport> result) {
  if (result_) return;
  result_ = std::move(result);
  client_.at_turn_end(*this);
}

// The mover may end with it.
void MessageMover::on_turn_end() {
  const auto done = std::move(done_);
  done(std::move(*result_));
}

}  // namespace weir::node
