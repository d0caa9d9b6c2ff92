// What it is: a request and a response of HTTP/1.1 as values, and the response's head on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

struct Header {
  std::string name, value;
};

// Of headers: ASCII letters are the same in either case.
bool same_name(std::string_view a, std::string_view b);
// The first of that name; null: there is none.
const std::string* find_header(const std::vector<Header>& headers, std::string_view name);

struct Request {
  std::string method;  // as it came: "GET"
  std::string target;  // as it came: "/a%2Fb?c=d" (protocol/http/codec/target.h)
  std::vector<Header> headers;
  std::string body;
  bool keep_alive = true;
  bool takes_pieces = true;  // HTTP/1.1: a body without a length known beforehand

  const std::string* header(std::string_view name) const { return find_header(headers, name); }
};

// Its length, its date and what becomes of the connection are added where it is sent.
struct Response {
  unsigned status = 200;
  std::vector<Header> headers;
  std::string body;
  bool in_pieces = false;  // `body` is only its beginning; the rest follows in chunks (append_chunk)
};

std::string_view reason_phrase(unsigned status);

// Status line and headers, to the empty line. Control characters in values are left out: no value ends its line.
void append_head(std::string& out, const Response& response, bool keep_alive, std::uint64_t now_ms);

// One of the pieces; none where there is nothing in it, and after the last one the end.
void append_chunk(std::string& out, std::string_view piece, bool last);

}  // namespace weir::http
