#include "node/authenticator.h"

#include <sodium.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "node/password.h"

namespace weir::node {

namespace {

constexpr std::size_t remembered_users_max = 10'000;

std::unexpected<Error> refused(std::string why) { return fail(ErrorCode::access_refused, std::move(why)); }

class Pending final : public Authentication {
 public:
  explicit Pending(std::shared_ptr<Authenticator::Done> done) : done_(std::move(done)) {}
  ~Pending() override { *done_ = nullptr; }

 private:
  std::shared_ptr<Authenticator::Done> done_;
};

}  // namespace

// One check of a password, shared with the worker, and all who came with it meanwhile: of a fleet that connects at once, it
// is hashed once.
struct Authenticator::Checking {
  struct Waiting {
    Credentials credentials;
    std::size_t backend = 0;
    std::shared_ptr<Done> done;  // empty: nobody waits any more
  };
  std::string key, password, hash;
  bool right = false;
  std::vector<Waiting> waiting;
};

Authenticator::Authenticator(const broker::Topology& topology, AuthOptions options, Clock& clock,
                             Offload offload)
    : topology_(topology),
      options_(std::move(options)),
      clock_(clock),
      offload_(std::move(offload)),
      key_(crypto_generichash_KEYBYTES, '\0') {
  if (sodium_init() >= 0) randombytes_buf(key_.data(), key_.size());
}

Authenticator::~Authenticator() = default;

std::string Authenticator::remembered(const Credentials& credentials, const std::string& hash) const {
  const std::string text = credentials.user + '\0' + hash + '\0' + credentials.password;
  std::string out(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     reinterpret_cast<const unsigned char*>(key_.data()), key_.size());
  return out;
}

std::unique_ptr<Authentication> Authenticator::check(Credentials credentials, Done done) {
  return ask(0, std::move(credentials), std::move(done), {ErrorCode::access_refused, {}});
}

// `before`: what the backends before this one had against it.
std::unique_ptr<Authentication> Authenticator::ask(std::size_t backend, Credentials credentials, Done done,
                                                   Error before) {
  for (; backend < options_.backends.size(); ++backend) {
    std::optional<Result<Identity>> answer = options_.backends[backend] == AuthBackend::token
                                                 ? check_token(credentials)
                                                 : check_at_once(credentials);
    if (!answer) return check_slowly(backend, std::move(credentials), std::move(done));
    if (*answer) {
      done(std::move(*answer));
      return nullptr;
    }
    if (!before.message.empty()) before.message += "; ";
    before.message += answer->error().message;
  }
  done(std::unexpected(std::move(before)));
  return nullptr;
}

Status Authenticator::check_origin(const std::string& user, const Credentials& credentials) const {
  const auto& local = options_.loopback_users;
  if (credentials.loopback || std::find(local.begin(), local.end(), user) == local.end()) return {};
  return refused("user '" + user + "' can only connect via localhost");
}

Result<Identity> Authenticator::check_token(const Credentials& credentials) const {
  if (credentials.vouched) return refused("a certificate is no access token");
  Result<Identity> identity = options_.tokens->check(credentials.password, clock_.wall_ms());
  if (identity) WEIR_TRY(check_origin(identity->user, credentials));
  return identity;
}

std::optional<Result<Identity>> Authenticator::check_at_once(const Credentials& credentials) const {
  const broker::UserDefinition* const user = topology_.find_user(credentials.user);
  if (user == nullptr) return refused("user '" + credentials.user + "' is not known");
  if (user->password_hash.empty() && !credentials.vouched)
    return refused("user '" + credentials.user + "' has no password");
  if (const Status may = check_origin(credentials.user, credentials); !may)
    return std::unexpected(may.error());
  const Identity identity{user->name, user->tags};
  if (credentials.vouched) return identity;
  const auto known = right_.find(credentials.user);
  if (known != right_.end() && known->second == remembered(credentials, user->password_hash)) return identity;
  return std::nullopt;
}

std::unique_ptr<Authentication> Authenticator::check_slowly(std::size_t backend, Credentials credentials,
                                                            Done done) {
  const broker::UserDefinition& user = *topology_.find_user(credentials.user);
  auto callback = std::make_shared<Done>(std::move(done));
  auto pending = std::make_unique<Pending>(callback);
  std::string key = remembered(credentials, user.password_hash);
  if (const auto same = checking_.find(key); same != checking_.end()) {
    same->second->waiting.push_back({std::move(credentials), backend, std::move(callback)});
    return pending;
  }
  auto check = std::make_shared<Checking>();
  check->key = key;
  check->password = credentials.password;
  check->hash = user.password_hash;
  check->waiting.push_back({std::move(credentials), backend, callback});
  auto work = [check] { check->right = verify_password(check->password, check->hash); };
  if (!offload_) {
    work();
    finish(*check);
    return nullptr;
  }
  checking_.emplace(std::move(key), check);
  if (!offload_(std::move(work), [this, check] { finish(*check); })) {
    checking_.erase(check->key);
    const auto call = std::exchange(*callback, nullptr);
    call(fail(ErrorCode::overloaded, "too many logins at a time"));
    return nullptr;
  }
  return pending;
}

void Authenticator::finish(Checking& check) {
  checking_.erase(check.key);
  for (Checking::Waiting& one : std::exchange(check.waiting, {})) {
    if (check.right) {
      if (right_.size() >= remembered_users_max) right_.clear();
      right_[one.credentials.user] = check.key;
    }
    if (!*one.done) continue;
    const auto call = std::exchange(*one.done, nullptr);
    const broker::UserDefinition* const user = topology_.find_user(one.credentials.user);
    if (check.right && user != nullptr) {
      call(Identity{user->name, user->tags});
      continue;
    }
    Error wrong{ErrorCode::access_refused, "wrong password for user '" + one.credentials.user + "'"};
    ask(one.backend + 1, std::move(one.credentials), call, std::move(wrong));
  }
}

}  // namespace weir::node
