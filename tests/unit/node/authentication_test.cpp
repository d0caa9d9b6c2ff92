// Passwords and who may log in from where.
#include <optional>

#include "node/authenticator.h"
#include "node/password.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Password, is_hashed_with_argon2_and_verified) {
  const Result<std::string> hash = hash_password("secret");
  ASSERT_TRUE(hash.has_value());
  EXPECT_THAT(*hash, StartsWith("$argon2id$"));
  EXPECT_TRUE(verify_password("secret", *hash));
  EXPECT_FALSE(verify_password("Secret", *hash));
  EXPECT_FALSE(verify_password("", *hash));
}

TEST(Password, known_to_everybody_is_hashed_quickly_but_with_salt) {
  const std::string hash = hash_known_password("guest");
  EXPECT_THAT(hash, StartsWith("rabbit_sha256:"));
  EXPECT_NE(hash, hash_known_password("guest"));
  EXPECT_TRUE(verify_password("guest", hash));
  EXPECT_FALSE(verify_password("guest2", hash));
}

// The example of RabbitMQ's documentation of its password hashes: salt 908D C60A, password "test12".
TEST(Password, in_rabbitmqs_salted_sha256_is_accepted) {
  const std::string hash = "rabbit_sha256:kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR";
  EXPECT_TRUE(verify_password("test12", hash));
  EXPECT_FALSE(verify_password("test13", hash));
}

TEST(Password, no_malformed_hash_fits_anything) {
  for (const char* hash :
       {"", "plain", "rabbit_sha256:", "rabbit_sha256:!!!", "rabbit_sha256:AAAA",
        "rabbit_sha256:AAAAAA==", "rabbit_sha512:kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR",
        "$argon2id$", "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$bad"}) {
    EXPECT_FALSE(verify_password("", hash)) << hash;
    EXPECT_FALSE(verify_password("test12", hash)) << hash;
  }
}

class Authenticating : public testing::Test {
 protected:
  Authenticating() {
    topology.apply(broker::PutUser{{"guest", hash_known_password("guest"), {}}});
    topology.apply(broker::PutUser{{"robot", hash_known_password("r2d2"), {}}});
    topology.apply(broker::PutUser{{"certificate", "", {}}});
  }
  // Work is kept until the test runs it.
  Authenticator::Offload offload() {
    return [this](std::function<void()> work, std::function<void()> done) {
      if (busy) return false;
      ++offloaded;
      jobs.emplace_back(std::move(work), std::move(done));
      return true;
    };
  }
  void run_jobs() {
    for (auto& [work, done] : std::exchange(jobs, {})) {
      work();
      done();
    }
  }
  Authenticator make(std::vector<std::string> loopback_users, Authenticator::Offload by) {
    return {topology, {.loopback_users = std::move(loopback_users)}, clock, std::move(by)};
  }
  std::unique_ptr<Authentication> check(Authenticator& by, std::string user, std::string password,
                                        bool loopback = false) {
    status.reset();
    return by.check({std::move(user), std::move(password), loopback},
                    [this](Result<Identity> its) { status = std::move(its); });
  }

  broker::Topology topology;
  bool busy = false;
  int offloaded = 0;
  std::vector<std::pair<std::function<void()>, std::function<void()>>> jobs;
  std::optional<Result<Identity>> status;
  ManualClock clock;
};

TEST_F(Authenticating, a_certificate_needs_no_password_but_a_user_who_may_come_from_there) {
  Authenticator by = make({"robot"}, offload());
  const auto vouched = [&](const std::string& user, bool loopback) {
    std::optional<Result<Identity>> outcome;
    const auto pending = by.check({.user = user, .password = "", .loopback = loopback, .vouched = true},
                                  [&](Result<Identity> status) { outcome = std::move(status); });
    EXPECT_EQ(pending, nullptr);
    return outcome.has_value() && outcome->has_value();
  };
  EXPECT_TRUE(vouched("certificate", false));
  EXPECT_TRUE(vouched("guest", false));
  EXPECT_FALSE(vouched("nobody", true));
  EXPECT_FALSE(vouched("robot", false));
  EXPECT_TRUE(vouched("robot", true));
  EXPECT_EQ(offloaded, 0U);
}

TEST_F(Authenticating, the_right_password_is_accepted_off_the_thread_and_then_remembered) {
  Authenticator authenticator = make({"guest"}, offload());
  auto pending = check(authenticator, "robot", "r2d2");
  EXPECT_FALSE(status.has_value());
  run_jobs();
  ASSERT_TRUE(status.has_value());
  EXPECT_TRUE(status->has_value());
  pending = check(authenticator, "robot", "r2d2");
  ASSERT_TRUE(status.has_value()) << "no hashing any more";
  EXPECT_TRUE(status->has_value());
  EXPECT_EQ(offloaded, 1);
}

TEST_F(Authenticating, a_wrong_password_is_refused_also_after_a_right_one) {
  Authenticator authenticator = make({}, offload());
  for (const char* password : {"r2d2", "c3po", "", "r2d2"}) {
    auto pending = check(authenticator, "robot", password);
    run_jobs();
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->has_value(), std::string(password) == "r2d2");
    if (!*status) {
      EXPECT_EQ(status->error().code, ErrorCode::access_refused);
    }
  }
}

TEST_F(Authenticating, a_changed_password_ends_what_was_remembered) {
  Authenticator authenticator = make({}, offload());
  auto pending = check(authenticator, "robot", "r2d2");
  run_jobs();
  topology.apply(broker::PutUser{{"robot", hash_known_password("new"), {}}});
  pending = check(authenticator, "robot", "r2d2");
  run_jobs();
  ASSERT_TRUE(status.has_value());
  EXPECT_FALSE(status->has_value());
}

TEST_F(Authenticating, guest_is_for_loopback_only) {
  Authenticator authenticator = make({"guest"}, {});
  check(authenticator, "guest", "guest", false);
  ASSERT_TRUE(status && !*status);
  EXPECT_THAT(status->error().message, HasSubstr("localhost"));
  check(authenticator, "guest", "guest", true);
  ASSERT_TRUE(status.has_value());
  EXPECT_TRUE(status->has_value());
}

TEST_F(Authenticating, unknown_users_and_users_without_a_password_are_refused) {
  Authenticator authenticator = make({}, {});
  for (const char* user : {"nobody", "", "certificate"}) {
    check(authenticator, user, "");
    ASSERT_TRUE(status && !*status) << user;
    EXPECT_EQ(status->error().code, ErrorCode::access_refused);
  }
}

TEST_F(Authenticating, whoever_leaves_before_the_answer_hears_nothing) {
  Authenticator authenticator = make({}, offload());
  auto pending = check(authenticator, "robot", "r2d2");
  pending.reset();
  run_jobs();
  EXPECT_FALSE(status.has_value());
}

TEST_F(Authenticating, a_fleet_with_one_password_is_hashed_once) {
  Authenticator authenticator = make({}, offload());
  int right = 0, wrong = 0;
  std::vector<std::unique_ptr<Authentication>> pending;
  const auto log_in = [&](const std::string& password) {
    pending.push_back(authenticator.check({"robot", password, false},
                                          [&](const Result<Identity>& its) { its ? ++right : ++wrong; }));
  };
  for (int i = 0; i < 1'000; ++i) log_in("r2d2");
  for (int i = 0; i < 10; ++i) log_in("c3po");
  EXPECT_EQ(offloaded, 2);
  for (int i = 0; i < 100; ++i) pending[i].reset();
  run_jobs();
  EXPECT_EQ(right, 900);
  EXPECT_EQ(wrong, 10);
  log_in("r2d2");
  EXPECT_EQ(offloaded, 2);
  EXPECT_EQ(right, 901);
}

TEST_F(Authenticating, too_many_at_a_time_are_told_so) {
  Authenticator authenticator = make({}, offload());
  busy = true;
  check(authenticator, "robot", "r2d2");
  ASSERT_TRUE(status && !*status);
  EXPECT_EQ(status->error().code, ErrorCode::overloaded);
}

class Sessions_ : public NodeTest {};

TEST_F(Sessions_, are_opened_for_users_with_a_permission_in_the_vhost_only) {
  start();
  TestSession& client = session();
  const auto open = [&](const char* user, const char* vhost) {
    SessionInfo info;
    info.user = user;
    info.vhost = vhost;
    struct Deaf final : SessionEvents {
      void on_reply(Reply) override {}
      void on_confirmed(PublisherNumber, std::uint64_t) override {}
      void on_rejected(PublisherNumber, std::uint64_t, std::uint64_t) override {}
      void on_delivery(const Delivery&) override {}
      void on_body_piece(BodyNumber, Result<BodyPiece>) override {}
      void on_consumer_cancelled(ConsumerNumber, CancelReason) override {}
      void on_publish_flow(bool, std::string_view) override {}
      void on_close_wanted(const Error&) override {}
    } deaf;
    const auto opened = node->shard(0).open_session(std::move(info), deaf);
    return opened ? std::optional<ErrorCode>() : opened.error().code;
  };
  EXPECT_EQ(open("guest", "/"), std::nullopt);
  EXPECT_EQ(open("guest", "nowhere"), ErrorCode::not_found);
  EXPECT_EQ(open("stranger", "/"), ErrorCode::access_refused);
  client.end();
}

}  // namespace weir::node
