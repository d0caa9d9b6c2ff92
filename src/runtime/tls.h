// What it is: TLS settings of a listener or a client (OpenSSL 3).
// Shard: made once at start; used by every loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace weir::runtime {

struct TlsServerOptions {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM
  std::string ca_file;           // PEM; verifies client certificates
  bool require_client_certificate = false;
  unsigned verify_depth = 10;               // authorities between a client's certificate and one of ca_file
  std::string minimum_version = "TLSv1.2";  // or TLSv1.3
  std::string ciphers;                      // OpenSSL's list for TLS 1.2; empty = its default
};
struct TlsClientOptions {
  std::string ca_file;  // empty: no verification (the load generator's choice, said so in its help)
  std::string certificate_file;
  std::string key_file;
};

class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> server(const TlsServerOptions& options);
  static Result<std::unique_ptr<TlsContext>> client(const TlsClientOptions& options);
  virtual ~TlsContext() = default;
  // Reads certificate, key and CA again: handshakes from now on use them. On an error the old ones stay.
  virtual Status reload() = 0;
  // When its own certificate expires, Unix seconds; 0: it has none.
  virtual std::int64_t expires_s() = 0;
};

}  // namespace weir::runtime
