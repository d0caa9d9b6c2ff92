#include "node/authenticator.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "node/password.h"

namespace weir::node {

namespace {

constexpr std::size_t remembered_users_max = 10'000;

std::unexpected<Error> refused(std::string why) { return fail(ErrorCode::access_refused, std::move(why)); }

class Pending final : public Authentication {
 public:
  explicit Pending(std::shared_ptr<std::function<void(Status)>> done) : done_(std::move(done)) {}
  ~Pending() override { *done_ = nullptr; }

 private:
  std::shared_ptr<std::function<void(Status)>> done_;
};

}  // namespace

// The outcome of one check, shared with the worker.
struct Authenticator::State {
  Credentials credentials;
  std::string hash;
  bool right = false;
};

Authenticator::Authenticator(const broker::Topology& topology, std::vector<std::string> loopback_users,
                             Offload offload)
    : topology_(topology),
      loopback_users_(std::move(loopback_users)),
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

std::unique_ptr<Authentication> Authenticator::check(Credentials credentials,
                                                     std::function<void(Status)> done) {
  const broker::UserDefinition* const user = topology_.find_user(credentials.user);
  const auto answer = [&](Status status) {
    done(std::move(status));
    return nullptr;
  };
  if (user == nullptr) return answer(refused("user '" + credentials.user + "' is not known"));
  if (user->password_hash.empty() && !credentials.vouched)
    return answer(refused("user '" + credentials.user + "' has no password"));
  if (!credentials.loopback &&
      std::find(loopback_users_.begin(), loopback_users_.end(), credentials.user) != loopback_users_.end()) {
    return answer(refused("user '" + credentials.user + "' can only connect via localhost"));
  }
  if (credentials.vouched) return answer({});
  const std::string token = remembered(credentials, user->password_hash);
  if (const auto known = right_.find(credentials.user); known != right_.end() && known->second == token) {
    return answer({});
  }
  auto state = std::make_shared<State>();
  state->credentials = std::move(credentials);
  state->hash = user->password_hash;
  auto callback = std::make_shared<std::function<void(Status)>>(std::move(done));
  auto work = [state] { state->right = verify_password(state->credentials.password, state->hash); };
  auto finish = [this, state, callback, token] {
    if (state->right) {
      if (right_.size() >= remembered_users_max) right_.clear();
      right_[state->credentials.user] = token;
    }
    if (!*callback) return;  // nobody waits any more
    const auto call = std::exchange(*callback, nullptr);
    call(state->right ? Status{} : refused("wrong password for user '" + state->credentials.user + "'"));
  };
  if (!offload_) {
    work();
    finish();
    return nullptr;
  }
  auto pending = std::make_unique<Pending>(callback);
  if (!offload_(std::move(work), std::move(finish))) {
    const auto call = std::exchange(*callback, nullptr);
    call(fail(ErrorCode::overloaded, "too many logins at a time"));
    return nullptr;
  }
  return pending;
}

}  // namespace weir::node
