#include "cli/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/connect_stream.h"
#include "protocol/http/codec/base64.h"
#include "protocol/http/codec/response_parser.h"
#include "runtime/loop.h"
#include "runtime/tls.h"

namespace weir::cli {
namespace {

constexpr std::size_t answer_bytes_max = 1U << 30;

std::string request_text(const BenchServer& server, const HttpCall& call) {
  const bool is_v6 = server.host.find(':') != std::string::npos;
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}{}{}:{}\r\n", call.method, call.target,
                                 is_v6 ? "[" : "", server.host, is_v6 ? "]" : "", server.port);
  if (!server.user.empty())
    text +=
        fmt::format("Authorization: Basic {}\r\n", http::base64_encode(server.user + ":" + server.password));
  text += "Connection: close\r\nAccept: application/json\r\n";
  for (const http::Header& header : call.headers) {
    std::string value = header.value;
    std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
    text += fmt::format("{}: {}\r\n", header.name, value);
  }
  if (!call.body.empty() || call.method == "PUT" || call.method == "POST")
    text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", call.body.size());
  return text + "\r\n" + call.body;
}

class Exchange final : runtime::StreamHandler {
 public:
  Exchange(runtime::Loop& loop, std::string request, const HttpCall& call)
      : loop_(loop), request_(std::move(request)), call_(call) {}

  Result<http::Response> run(std::unique_ptr<runtime::ByteStream> stream) {
    stream_ = std::move(stream);
    loop_.timers().arm(timer_, call_.answer_ms_max);
    stream_->open(*this);
    send();
    if (!over_) loop_.run(nullptr);
    loop_.timers().cancel(timer_);
    stream_.reset();
    if (error_) return std::unexpected(*error_);
    return parser_.take();
  }

 private:
  void send() {
    while (sent_ < request_.size()) {
      const Bytes left = as_bytes(std::string_view(request_).substr(sent_));
      const auto taken = stream_->write({&left, 1});
      if (!taken) return;  // on_closed() follows
      if (*taken == 0) return;
      sent_ += *taken;
      if (call_.on_sent) call_.on_sent(sent_, request_.size());
    }
  }
  void on_writable() override { send(); }
  void on_readable() override {
    std::byte into[16384];
    while (!over_) {
      const auto count = stream_->read(into);
      if (!count || *count == 0) return;
      input_.insert(input_.end(), into, into + *count);
      const auto used = parser_.put(input_);
      if (!used) return end(used.error());
      input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(*used));
      if (parser_.complete()) return end(std::nullopt);
    }
  }
  void on_closed(const Error& reason) override {
    if (over_) return;
    const Status whole = parser_.finish();
    end(whole ? std::nullopt : std::optional(reason));
  }
  void on_timer() { end(Error{ErrorCode::timed_out, "no answer"}); }
  void end(std::optional<Error> error) {
    error_ = std::move(error);
    over_ = true;
    loop_.stop();
  }

  runtime::Loop& loop_;
  std::unique_ptr<runtime::ByteStream> stream_;
  const std::string request_;
  const HttpCall& call_;
  std::size_t sent_ = 0;
  std::vector<std::byte> input_;
  http::ResponseParser parser_{answer_bytes_max};
  std::optional<Error> error_;
  bool over_ = false;
  runtime::MethodTimer<Exchange, &Exchange::on_timer> timer_{*this};
};

}  // namespace

Result<http::Response> call_http(const BenchServer& server, const std::string& ca_file,
                                 const HttpCall& call) {
  auto loop = runtime::Loop::make({.ring = runtime::KernelRing::no});
  if (!loop) return std::unexpected(loop.error());
  std::unique_ptr<runtime::TlsContext> tls;
  if (server.tls) {
    runtime::TlsClientOptions options;
    options.ca_file = ca_file;
    auto made = runtime::TlsContext::client(options);
    if (!made) return std::unexpected(made.error());
    tls = std::move(*made);
  }
  auto stream = connect_stream(**loop, server.host, server.port, tls.get());
  if (!stream) return std::unexpected(stream.error());
  return Exchange(**loop, request_text(server, call), call).run(std::move(*stream));
}

}  // namespace weir::cli
