#include "protocol/http/connection.h"

#include <utility>

namespace weir::http {

namespace {
constexpr std::size_t read_bytes = 64U << 10;
}  // namespace

void Exchange::expect_body(std::size_t bytes_max) {
  if (connection_ != nullptr) connection_->expect_body(bytes_max);
}

void Exchange::reply(Response response) {
  response.headers.insert(response.headers.end(), also.begin(), also.end());
  if (connection_ != nullptr) connection_->reply(std::move(response));
}

void Exchange::more(std::string_view piece, bool last) {
  if (connection_ != nullptr) connection_->more(piece, last);
}

void Exchange::give_up() {
  if (connection_ != nullptr) connection_->give_up();
}

Connection::Connection(node::BrokerClient& client, std::unique_ptr<runtime::ByteStream> stream,
                       const Settings& settings, Handler& handler, ConnectionOwner& owner)
    : client_(client),
      stream_(std::move(stream)),
      settings_(settings),
      handler_(handler),
      owner_(owner),
      parser_(settings.head_bytes_max) {}

Connection::~Connection() {
  if (exchange_ != nullptr) exchange_->leave();
}

void Connection::open() {
  client_.timers().arm(deadline_, settings_.head_ms_max);
  stream_->open(*this);
}

// --- input ---

void Connection::on_readable() {
  while (!paused_ && state_ != State::ended) {
    if (input_used_ == input_.size()) {
      input_.clear();
      input_used_ = 0;
    }
    const std::size_t before = input_.size();
    input_.resize(before + read_bytes);
    const auto count = stream_->read(MutableBytes(input_).subspan(before));
    input_.resize(before + (count ? *count : 0));
    if (!count || *count == 0) return;  // after an error, on_closed follows
    bytes_since_deadline_ += *count;
    if (state_ == State::head && !head_begun_) begin_head();
    advance();
  }
}

// From its first byte on, it has to come.
void Connection::begin_head() {
  head_begun_ = true;
  client_.timers().arm(deadline_, settings_.head_ms_max);
}

// A request is decided and answered inside of the handler's call, or much later: both come by here.
void Connection::advance() {
  if (advancing_) return;
  advancing_ = true;
  while (state_ == State::head || state_ == State::body) {
    if (!read_message()) break;
  }
  advancing_ = false;
  care_for_input();
}

// False: more input is needed.
bool Connection::read_message() {
  input_used_ += parser_.put(Bytes(input_).subspan(input_used_));
  if (parser_.fault()) {
    refuse(*parser_.fault());
    return false;
  }
  // A call may end the exchange, and this must not take it away from who is called.
  if (state_ == State::head) {
    if (!parser_.has_head()) return false;
    state_ = State::deciding;
    client_.timers().cancel(deadline_);
    exchange_ = std::make_shared<Exchange>(*this, stream_->peer());
    exchange_->request_ = parser_.request();
    const std::shared_ptr<Exchange> exchange = exchange_;
    handler_.on_head(exchange);
    return true;
  }
  if (!parser_.complete()) return false;
  state_ = State::working;
  client_.timers().cancel(deadline_);
  exchange_->request_ = parser_.take();
  const std::shared_ptr<Exchange> exchange = exchange_;
  handler_.on_request(exchange);
  return true;
}

void Connection::expect_body(std::size_t bytes_max) {
  if (state_ != State::deciding) return;
  const bool announced = parser_.announces_body();
  parser_.expect_body(bytes_max);
  state_ = State::body;
  bytes_since_deadline_ = 0;
  if (announced) client_.timers().arm(deadline_, settings_.progress_ms);
  const bool waits = parser_.wants_continue() && !parser_.fault() && input_used_ == input_.size();
  if (waits) {
    output_ += "HTTP/1.1 100 Continue\r\n\r\n";
    flush();
  }
  advance();
}

// Paused, the kernel's buffer pushes back on the client.
void Connection::care_for_input() {
  const bool wanted = state_ == State::head || state_ == State::body;
  if (state_ == State::ended || wanted == !paused_) return;
  paused_ = !wanted;
  if (paused_) {
    stream_->pause_reading();
  } else {
    stream_->resume_reading();
  }
}

// --- output ---

void Connection::refuse(const Fault& fault) {
  Response response;
  response.status = fault.status;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body = fault.reason + "\n";
  send(response, false);
}

void Connection::reply(Response response) {
  if (state_ != State::deciding && state_ != State::body && state_ != State::working) return;
  // A body that was announced and is not taken would pass for the next request.
  const bool body_unread = state_ == State::body || (state_ == State::deciding && parser_.announces_body());
  const bool keep_alive = exchange_->request_.keep_alive && !body_unread && !stopping_;
  if (state_ != State::working) parser_.take();
  send(response, keep_alive);
}

void Connection::send(const Response& response, bool keep_alive) {
  append_head(output_, response, keep_alive, client_.clock().wall_ms());
  const bool of_head = exchange_ != nullptr && exchange_->request_.method == "HEAD";
  in_pieces_ = response.in_pieces && !of_head;
  asked_more_ = false;
  if (in_pieces_) {
    append_chunk(output_, response.body, false);
  } else if (!of_head && response.status != 204 && response.status != 304) {
    output_ += response.body;
  }
  state_ = State::answering;
  end_after_answer_ = !keep_alive;
  bytes_since_deadline_ = 0;
  client_.timers().arm(deadline_, settings_.progress_ms);
  flush();
}

void Connection::more(std::string_view piece, bool last) {
  if (state_ != State::answering || !in_pieces_) return;
  append_chunk(output_, piece, last);
  in_pieces_ = !last;
  asked_more_ = false;
  flush();
}

void Connection::give_up() {
  if (state_ == State::answering && in_pieces_) end();
}

void Connection::flush() {
  while (sent_ < output_.size()) {
    const Bytes rest = as_bytes(std::string_view(output_).substr(sent_));
    const auto count = stream_->write({&rest, 1});
    if (!count) return;  // on_closed follows
    sent_ += *count;
    bytes_since_deadline_ += *count;
    if (*count < rest.size()) return;  // on_writable follows
  }
  std::string().swap(output_);
  sent_ = 0;
  if (state_ != State::answering) return;
  if (!in_pieces_) return finish_answer();
  if (std::exchange(asked_more_, true)) return;
  const std::shared_ptr<Exchange> exchange = exchange_;
  const std::function<void()> wanted = exchange->wanted;
  if (wanted) wanted();
}

void Connection::finish_answer() {
  if (end_after_answer_ || stopping_) return end();
  if (exchange_ != nullptr) exchange_->leave();
  exchange_.reset();
  state_ = State::head;
  bytes_since_deadline_ = input_.size() - input_used_;
  head_begun_ = bytes_since_deadline_ > 0;
  client_.timers().arm(deadline_, head_begun_ ? settings_.head_ms_max : settings_.idle_ms_max);
  advance();
}

void Connection::on_writable() { flush(); }

// --- ends ---

void Connection::on_deadline() {
  // While the next piece is not there yet, it is not the client that is slow.
  const bool moves = bytes_since_deadline_ >= settings_.progress_bytes || (in_pieces_ && output_.empty());
  if ((state_ == State::body || state_ == State::answering) && moves) {
    bytes_since_deadline_ = 0;
    return client_.timers().arm(deadline_, settings_.progress_ms);
  }
  const bool begun = state_ == State::body || (state_ == State::head && bytes_since_deadline_ > 0);
  if (begun) return refuse({408, "the request did not come in time"});
  end();
}

void Connection::on_closed(const Error&) { end(); }

void Connection::shut_down() {
  stopping_ = true;
  if (state_ == State::head) end();
}

void Connection::end() {
  if (state_ == State::ended) return;
  state_ = State::ended;
  client_.timers().cancel(deadline_);
  if (exchange_ != nullptr) exchange_->leave();
  stream_->close();
  owner_.on_ended(*this);
}

}  // namespace weir::http
