#include "protocol/http/codec/response_parser.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>
#include <utility>

namespace weir::http {

namespace beast = boost::beast;

struct ResponseParser::Message {
  explicit Message(std::size_t body_bytes_max) {
    parser.body_limit(body_bytes_max);
    parser.eager(true);
  }
  beast::http::response_parser<beast::http::string_body> parser;
};

ResponseParser::ResponseParser(std::size_t body_bytes_max)
    : message_(std::make_unique<Message>(body_bytes_max)) {}

ResponseParser::~ResponseParser() = default;

bool ResponseParser::complete() const { return message_->parser.is_done(); }

Result<std::size_t> ResponseParser::put(Bytes input) {
  std::size_t used = 0;
  while (used < input.size() && !complete()) {
    beast::error_code error;
    const std::size_t taken =
        message_->parser.put(beast::net::const_buffer(input.data() + used, input.size() - used), error);
    used += taken;
    if (error == beast::http::error::need_more || (!error && taken == 0)) break;
    if (error) return fail(ErrorCode::corrupt, "HTTP: " + error.message());
  }
  return used;
}

Status ResponseParser::finish() {
  if (complete()) return {};
  if (!message_->parser.got_some()) return fail(ErrorCode::corrupt, "HTTP: there was no answer");
  beast::error_code error;
  message_->parser.put_eof(error);
  if (error) return fail(ErrorCode::corrupt, "HTTP: the answer is cut off: " + error.message());
  return {};
}

Response ResponseParser::take() {
  auto& head = message_->parser.get();
  Response response;
  response.status = head.result_int();
  for (const auto& field : head) {
    response.headers.push_back({{field.name_string().data(), field.name_string().size()},
                                {field.value().data(), field.value().size()}});
  }
  response.body = std::move(head.body());
  return response;
}

}  // namespace weir::http
