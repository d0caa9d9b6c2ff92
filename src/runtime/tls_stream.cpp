#include "runtime/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "runtime/tls_context.h"

namespace weir::runtime {
namespace {

constexpr std::uint64_t handshake_ms_max = 10'000;
constexpr std::size_t record_bytes_max = 16U << 10;
// Sent together; the kernel refuses at most this and a record, which then lies in the stream.
constexpr std::size_t send_bytes_max = 256U << 10;

// OpenSSL reads from the socket through the stream; what it writes is collected in `out` and sent in one call, so
// that it never has to hold back a record and write() has taken what it says.
class TlsStream final : public SocketStream, private Timer {
 public:
  TlsStream(SocketContext& context, Socket socket, OpensslContext& tls, const std::string* host);
  ~TlsStream() override { close(); }

  Result<std::size_t> read(MutableBytes into) override;
  Result<std::size_t> write(std::span<const Bytes> pieces) override;

 private:
  enum class Stage : std::uint8_t { waiting, handshake, open, failed };

  static const BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* into, std::size_t wanted, std::size_t* got);
  static int bio_write(BIO* bio, const char* from, std::size_t offered, std::size_t* taken);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  static TlsStream& of(BIO* bio) { return *static_cast<TlsStream*>(::BIO_get_data(bio)); }

  bool prepare() override;
  bool has_unread() const override { return stage_ == Stage::open && unread_; }
  bool has_unsent() const override { return sent_ < out_.size(); }
  std::vector<std::byte> take_unsent() override;
  void on_timer() override;

  void shake_hands();
  void note_peer();
  void refuse(const std::string& what);
  void flush();
  // False when the kernel is full.
  bool make_room();
  // False when the session failed.
  bool encrypt(Bytes bytes);

  SslSession session_;
  Stage stage_ = Stage::waiting;
  bool unread_ = false;  // the last read left bytes that are not in the socket any more
  std::vector<std::byte> out_;
  std::size_t sent_ = 0;  // of out_
};

TlsStream::TlsStream(SocketContext& context, Socket socket, OpensslContext& tls, const std::string* host)
    : SocketStream(context, std::move(socket)), session_(tls.make_session()) {
  SSL* const session = session_.get();
  BIO* const bio = ::BIO_new(bio_method());
  WEIR_ASSERT(bio != nullptr);
  ::BIO_set_data(bio, this);
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(session, bio, bio);
  mutable_peer().tls = true;
  if (host == nullptr) {
    ::SSL_set_accept_state(session);
    return;
  }
  ::SSL_set_connect_state(session);
  in6_addr address{};
  const bool numeric = ::inet_pton(AF_INET, host->c_str(), &address) == 1 ||
                       ::inet_pton(AF_INET6, host->c_str(), &address) == 1;
  if (!numeric) ::SSL_set_tlsext_host_name(session, host->c_str());
  if (!tls.verifies()) return;
  if (numeric) {
    ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session), host->c_str());
  } else {
    ::SSL_set1_host(session, host->c_str());
  }
}

const BIO_METHOD* TlsStream::bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir stream");
    WEIR_ASSERT(made != nullptr);
    ::BIO_meth_set_read_ex(made, &TlsStream::bio_read);
    ::BIO_meth_set_write_ex(made, &TlsStream::bio_write);
    ::BIO_meth_set_ctrl(made, &TlsStream::bio_control);
    return made;
  }();
  return method;
}

int TlsStream::bio_read(BIO* bio, char* into, std::size_t wanted, std::size_t* got) {
  ::BIO_clear_retry_flags(bio);
  TlsStream& stream = of(bio);
  *got = stream.receive({reinterpret_cast<std::byte*>(into), wanted});
  if (*got > 0) return 1;
  if (!stream.failure()) ::BIO_set_retry_read(bio);
  return 0;
}

int TlsStream::bio_write(BIO* bio, const char* from, std::size_t offered, std::size_t* taken) {
  ::BIO_clear_retry_flags(bio);
  std::vector<std::byte>& out = of(bio).out_;
  const auto* const bytes = reinterpret_cast<const std::byte*>(from);
  out.insert(out.end(), bytes, bytes + offered);
  *taken = offered;
  return 1;
}

long TlsStream::bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return of(bio).failure() ? 1 : 0;
  return 0;
}

bool TlsStream::prepare() {
  if (stage_ == Stage::waiting) {
    stage_ = Stage::handshake;
    context().timers.arm(*this, handshake_ms_max);
  }
  if (stage_ == Stage::handshake) shake_hands();
  flush();
  return stage_ == Stage::open;
}

void TlsStream::shake_hands() {
  ::ERR_clear_error();
  const int result = ::SSL_do_handshake(session_.get());
  if (result == 1) {
    stage_ = Stage::open;
    unread_ = true;  // the last flight may have brought data along
    context().timers.cancel(*this);
    note_peer();
    return;
  }
  const int why = ::SSL_get_error(session_.get(), result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
  refuse("TLS handshake: " + (failure() ? failure()->message : take_ssl_error()));
}

void TlsStream::refuse(const std::string& what) {
  stage_ = Stage::failed;
  context().timers.cancel(*this);
  flush();  // the alert
  fail_later({ErrorCode::closed, what});
}

void TlsStream::on_timer() {
  stage_ = Stage::failed;
  fail_later({ErrorCode::timed_out, "TLS handshake: took too long"});
}

void TlsStream::note_peer() {
  PeerInfo& info = mutable_peer();
  info.tls_version = ::SSL_get_version(session_.get());
  info.tls_cipher = ::SSL_get_cipher_name(session_.get());
  X509* const certificate = ::SSL_get0_peer_certificate(session_.get());
  if (certificate == nullptr || ::SSL_get_verify_result(session_.get()) != X509_V_OK) return;
  const std::unique_ptr<BIO, int (*)(BIO*)> text(::BIO_new(::BIO_s_mem()), &::BIO_free);
  ::X509_NAME_print_ex(text.get(), ::X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long length = ::BIO_get_mem_data(text.get(), &bytes);
  if (length > 0) info.certificate_subject.assign(bytes, static_cast<std::size_t>(length));
}

void TlsStream::flush() {
  if (!has_unsent()) return;
  iovec rest{out_.data() + sent_, out_.size() - sent_};
  sent_ += send({&rest, 1});
  if (sent_ < out_.size()) return;
  // An idle connection holds no buffer.
  out_.clear();
  sent_ = 0;
  if (out_.capacity() > context().scratch.capacity()) std::swap(out_, context().scratch);
  out_ = {};
}

bool TlsStream::make_room() {
  if (out_.size() < send_bytes_max) return true;
  flush();
  return !has_unsent();
}

Result<std::size_t> TlsStream::read(MutableBytes into) {
  if (stage_ != Stage::open || paused() || !(may_read() || unread_)) return 0;
  if (budget() == 0) {
    offer_again();
    return 0;
  }
  std::size_t total = 0;
  into = into.first(std::min(into.size(), budget()));
  ::ERR_clear_error();
  while (total < into.size()) {
    std::size_t count = 0;
    if (::SSL_read_ex(session_.get(), into.data() + total, into.size() - total, &count) == 1) {
      total += count;
      continue;
    }
    unread_ = false;
    const int why = ::SSL_get_error(session_.get(), 0);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) break;
    if (why == SSL_ERROR_ZERO_RETURN) {
      fail_later({ErrorCode::closed, "the peer closed the connection"});
    } else if (!failure()) {
      refuse("TLS: " + take_ssl_error());
    }
    break;
  }
  if (total == into.size()) unread_ = true;
  spend(total);
  flush();  // an answer to a key update
  if (total == 0 && failure() && failure()->code != ErrorCode::closed) return std::unexpected(*failure());
  return total;
}

bool TlsStream::encrypt(Bytes bytes) {
  std::size_t written = 0;
  while (!bytes.empty()) {
    if (::SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written) != 1) return false;
    bytes = bytes.subspan(written);
  }
  return true;
}

// Small pieces share records: a record costs far more than the copy.
Result<std::size_t> TlsStream::write(std::span<const Bytes> pieces) {
  if (stage_ == Stage::failed) return fail(ErrorCode::closed, "the stream is closed");
  if (stage_ != Stage::open || has_unsent()) {
    want_room();
    return 0;
  }
  if (out_.capacity() == 0) std::swap(out_, context().scratch);
  ::ERR_clear_error();
  std::array<std::byte, record_bytes_max> record;
  std::size_t held = 0;  // of record
  std::size_t taken = 0;
  bool good = true;
  for (Bytes piece : pieces) {
    while (good && !piece.empty() && make_room()) {
      const std::size_t count = std::min(piece.size(), record_bytes_max - held);
      if (count < record_bytes_max) std::memcpy(record.data() + held, piece.data(), count);
      held += count;
      if (held == record_bytes_max) {
        good = encrypt(count < record_bytes_max ? Bytes(record) : piece.first(count));
        held = 0;
      }
      piece = piece.subspan(count);
      taken += count;
    }
    if (!piece.empty()) {
      want_room();
      break;
    }
  }
  if (good && held > 0) good = encrypt(Bytes(record).first(held));
  flush();
  if (!good) {
    refuse("TLS: " + take_ssl_error());
    return fail(ErrorCode::closed, "the stream failed");
  }
  return taken;
}

std::vector<std::byte> TlsStream::take_unsent() {
  context().timers.cancel(*this);
  if (stage_ == Stage::open) {
    ::ERR_clear_error();
    ::SSL_shutdown(session_.get());  // close_notify; the peer's is not waited for
    ::ERR_clear_error();
  }
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(std::exchange(sent_, 0)));
  return std::move(out_);
}

}  // namespace

std::unique_ptr<ByteStream> make_tls_server_stream(SocketContext& context, Socket socket, TlsContext& tls) {
  return std::make_unique<TlsStream>(context, std::move(socket), static_cast<OpensslContext&>(tls), nullptr);
}

std::unique_ptr<ByteStream> make_tls_client_stream(SocketContext& context, Socket socket, TlsContext& tls,
                                                   const std::string& host) {
  return std::make_unique<TlsStream>(context, std::move(socket), static_cast<OpensslContext&>(tls), &host);
}

}  // namespace weir::runtime
