// What it is: the OpenSSL side of a TlsContext. Private to runtime.
// Shard: any thread; reload() replaces what new sessions are made of.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>
#include <variant>

#include "runtime/tls.h"

namespace weir::runtime {

struct SslFree {
  void operator()(SSL* session) const { ::SSL_free(session); }
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
using SslSession = std::unique_ptr<SSL, SslFree>;
using SslContext = std::unique_ptr<SSL_CTX, SslFree>;

// The oldest error in OpenSSL's queue of this thread, as text; empties the queue.
std::string take_ssl_error();

class OpensslContext final : public TlsContext {
 public:
  explicit OpensslContext(TlsServerOptions options) : options_(std::move(options)) {}
  explicit OpensslContext(TlsClientOptions options) : options_(std::move(options)) {}

  Status reload() override;
  std::int64_t expires_s() override;
  SslSession make_session();
  // A client that was given a CA checks the server's certificate and name.
  bool verifies() const;

 private:
  Result<SslContext> build() const;

  const std::variant<TlsServerOptions, TlsClientOptions> options_;
  std::mutex mutex_;
  SslContext context_;
};

}  // namespace weir::runtime
