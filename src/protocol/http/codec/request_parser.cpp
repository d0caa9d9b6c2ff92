#include "protocol/http/codec/request_parser.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string_view>
#include <utility>

namespace weir::http {

namespace beast = boost::beast;

// The one place that sees the library.
struct RequestParser::Message {
  explicit Message(std::size_t head_bytes_max) {
    parser.header_limit(static_cast<std::uint32_t>(head_bytes_max));
    parser.body_limit(boost::none);  // set when the body is expected
    parser.eager(false);
  }
  beast::http::request_parser<beast::http::string_body> parser;
};

namespace {

std::string text_of(beast::string_view text) { return {text.data(), text.size()}; }

Fault fault_of(const beast::error_code& code) {
  using Kind = beast::http::error;
  if (code == Kind::header_limit) return {431, "the request's head is too large"};
  if (code == Kind::body_limit) return {413, "the request's body is too large"};
  if (code == Kind::bad_version) return {505, "HTTP/1.1 is spoken here"};
  return {400, code.message()};
}

std::size_t count(const std::vector<Header>& headers, std::string_view name) {
  std::size_t count = 0;
  for (const Header& header : headers) count += same_name(header.name, name) ? 1 : 0;
  return count;
}

}  // namespace

RequestParser::RequestParser(std::size_t head_bytes_max)
    : head_bytes_max_(head_bytes_max), message_(std::make_unique<Message>(head_bytes_max)) {}

RequestParser::~RequestParser() = default;

bool RequestParser::complete() const { return has_head_ && !fault_ && message_->parser.is_done(); }

bool RequestParser::announces_body() const { return has_head_ && !message_->parser.is_done(); }

void RequestParser::refuse(unsigned status, std::string reason) {
  if (!fault_) fault_ = Fault{status, std::move(reason)};
}

std::size_t RequestParser::put(Bytes input) {
  const bool was_complete = complete();
  std::size_t used = 0;
  while (used < input.size() && !fault_ && !message_->parser.is_done()) {
    if (has_head_ && !body_expected_) break;
    beast::error_code error;
    const std::size_t taken =
        message_->parser.put(beast::net::const_buffer(input.data() + used, input.size() - used), error);
    used += taken;
    if (error == beast::http::error::need_more) break;
    if (error) {
      fault_ = fault_of(error);
      break;
    }
    if (!has_head_ && message_->parser.is_header_done()) take_head();
    if (taken == 0) break;
  }
  if (!was_complete && complete()) request_.body = std::move(message_->parser.get().body());
  return used;
}

void RequestParser::take_head() {
  has_head_ = true;
  const auto& head = message_->parser.get();
  request_.method = text_of(head.method_string());
  request_.target = text_of(head.target());
  request_.keep_alive = head.keep_alive();
  request_.takes_pieces = head.version() >= 11;
  for (const auto& field : head)
    request_.headers.push_back({text_of(field.name_string()), text_of(field.value())});
  check_framing();
}

// Where a message ends must be beyond doubt: another reading of it, by a proxy before us, would let a second request hide
// in its body.
void RequestParser::check_framing() {
  const unsigned version = message_->parser.get().version();
  if (const std::string* coding = request_.header("Transfer-Encoding")) {
    if (version < 11 || count(request_.headers, "Transfer-Encoding") > 1 || request_.header("Content-Length"))
      return refuse(400, "the length of the body is ambiguous");
    if (!same_name(*coding, "chunked")) return refuse(501, "the only transfer coding is chunked");
  }
  if (count(request_.headers, "Content-Length") > 1)
    return refuse(400, "the length of the body is ambiguous");
  const std::size_t hosts = count(request_.headers, "Host");
  if (hosts > 1 || (version >= 11 && hosts == 0)) return refuse(400, "one Host is needed");
  if (const std::string* expectation = request_.header("Expect")) {
    if (!same_name(*expectation, "100-continue"))
      return refuse(417, "the only expectation that can be met is 100-continue");
    wants_continue_ = version >= 11 && !message_->parser.is_done();
  }
}

void RequestParser::expect_body(std::size_t bytes_max) {
  body_expected_ = true;
  auto& parser = message_->parser;
  if (const auto announced = parser.content_length(); announced && *announced > bytes_max)
    return refuse(413, "the request's body is too large");
  parser.body_limit(bytes_max);
  parser.eager(true);
}

Request RequestParser::take() {
  message_ = std::make_unique<Message>(head_bytes_max_);
  has_head_ = body_expected_ = wants_continue_ = false;
  return std::exchange(request_, {});
}

}  // namespace weir::http
