#include "runtime/tls.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <ctime>

#include "base/assert.h"
#include "runtime/tls_context.h"

namespace weir::runtime {

std::string take_ssl_error() {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  if (code == 0) return "unknown";
  const char* const reason = ::ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

namespace {

constexpr unsigned long read_buffer_bytes = 64U << 10;  // several records in one system call

std::unexpected<Error> config_error(const std::string& what) {
  return fail(ErrorCode::config, "TLS: " + what + ": " + take_ssl_error());
}

Result<SslContext> make_context(const SSL_METHOD* method) {
  ::ERR_clear_error();
  SslContext made(::SSL_CTX_new(method));
  SSL_CTX* const context = made.get();
  if (context == nullptr) return config_error("context");
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  ::SSL_CTX_set_read_ahead(context, 1);
  ::SSL_CTX_set_default_read_buffer_len(context, read_buffer_bytes);
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  return made;
}

Status load_certificate(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (certificate.empty() && key.empty()) return {};
  if (::SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return config_error("certificate " + certificate);
  }
  if (::SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return config_error("key " + key);
  if (::SSL_CTX_check_private_key(context) != 1) return config_error("key " + key + " and its certificate");
  return {};
}

Status load_ca(SSL_CTX* context, const std::string& file) {
  if (file.empty()) return {};
  if (::SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1) return config_error("CA " + file);
  return {};
}

Result<SslContext> build_server(const TlsServerOptions& options) {
  Result<SslContext> made = make_context(::TLS_server_method());
  if (!made) return made;
  SSL_CTX* const context = made->get();
  if (options.certificate_file.empty() || options.key_file.empty()) {
    return fail(ErrorCode::config, "TLS: a listener needs a certificate and a key");
  }
  WEIR_TRY(load_certificate(context, options.certificate_file, options.key_file));
  WEIR_TRY(load_ca(context, options.ca_file));
  if (options.require_client_certificate && options.ca_file.empty()) {
    return fail(ErrorCode::config, "TLS: client certificates are required but there is no CA to check them");
  }
  if (!options.ca_file.empty()) {
    ::SSL_CTX_set_client_CA_list(context, ::SSL_load_client_CA_file(options.ca_file.c_str()));
    ::SSL_CTX_set_verify_depth(context, static_cast<int>(options.verify_depth));
    ::SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | (options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        nullptr);
  }
  if (options.minimum_version == "TLSv1.3") {
    ::SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  } else if (options.minimum_version != "TLSv1.2") {
    return fail(ErrorCode::config,
                "TLS: minimum version \"" + options.minimum_version + "\" is not TLSv1.2 or TLSv1.3");
  }
  if (!options.ciphers.empty() && ::SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) {
    return config_error("ciphers " + options.ciphers);
  }
  ::SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Sessions are resumed by tickets; a session belongs to this program.
  constexpr unsigned char session_context[] = {'w', 'e', 'i', 'r'};
  ::SSL_CTX_set_session_id_context(context, session_context, sizeof session_context);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return made;
}

Result<SslContext> build_client(const TlsClientOptions& options) {
  Result<SslContext> made = make_context(::TLS_client_method());
  if (!made) return made;
  WEIR_TRY(load_certificate(made->get(), options.certificate_file, options.key_file));
  WEIR_TRY(load_ca(made->get(), options.ca_file));
  ::SSL_CTX_set_verify(made->get(), options.ca_file.empty() ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  return made;
}

}  // namespace

Result<SslContext> OpensslContext::build() const {
  if (const auto* server = std::get_if<TlsServerOptions>(&options_)) return build_server(*server);
  return build_client(std::get<TlsClientOptions>(options_));
}

Status OpensslContext::reload() {
  Result<SslContext> built = build();
  if (!built) return std::unexpected(std::move(built).error());
  const std::lock_guard guard(mutex_);
  context_ = std::move(*built);
  return {};
}

std::int64_t OpensslContext::expires_s() {
  const std::lock_guard guard(mutex_);
  const X509* const certificate = ::SSL_CTX_get0_certificate(context_.get());
  tm time{};
  if (certificate == nullptr || ::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &time) != 1) return 0;
  return ::timegm(&time);
}

SslSession OpensslContext::make_session() {
  const std::lock_guard guard(mutex_);
  SslSession session(::SSL_new(context_.get()));
  WEIR_ASSERT(session != nullptr);
  return session;
}

bool OpensslContext::verifies() const {
  const auto* const client = std::get_if<TlsClientOptions>(&options_);
  return client != nullptr && !client->ca_file.empty();
}

Result<std::unique_ptr<TlsContext>> TlsContext::server(const TlsServerOptions& options) {
  auto context = std::make_unique<OpensslContext>(options);
  WEIR_TRY(context->reload());
  return context;
}

Result<std::unique_ptr<TlsContext>> TlsContext::client(const TlsClientOptions& options) {
  auto context = std::make_unique<OpensslContext>(options);
  WEIR_TRY(context->reload());
  return context;
}

}  // namespace weir::runtime
