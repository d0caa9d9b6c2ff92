// Logins with access tokens, as the node sees them: which backend is asked, and sessions whose credential expires.
#include <map>
#include <optional>

#include "node/authenticator.h"
#include "node/password.h"
#include "unit/node/node_fixture.h"

namespace weir::node {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

constexpr std::uint64_t hour_ms = 3'600'000;

std::shared_ptr<const broker::Grants> everything() {
  std::vector<broker::Grant> all;
  for (const broker::Access access :
       {broker::Access::configure, broker::Access::write, broker::Access::read}) {
    all.push_back({access, *broker::Wildcard::parse("*"), *broker::Wildcard::parse("*"), std::nullopt});
  }
  return std::make_shared<const broker::Grants>(std::move(all));
}

std::shared_ptr<const broker::Grants> reading() {
  return std::make_shared<const broker::Grants>(std::vector<broker::Grant>{
      {broker::Access::read, *broker::Wildcard::parse("*"), *broker::Wildcard::parse("*"), std::nullopt}});
}

class KnownTokens final : public TokenAuthority {
 public:
  Result<Identity> check(std::string_view token, std::uint64_t wall_ms) const override {
    const auto at = known.find(std::string(token));
    if (at == known.end()) return fail(ErrorCode::access_refused, "not a token");
    if (at->second.expires_ms <= wall_ms) return fail(ErrorCode::access_refused, "the token has expired");
    return at->second;
  }
  std::map<std::string, Identity> known;
};

}  // namespace

class Backends : public testing::Test {
 protected:
  Backends() {
    topology.apply(broker::PutUser{{"ann", hash_known_password("secret"), {"management"}}});
    tokens.known["token-of-ann"] = {"ann", {"monitoring"}, everything(), clock.wall_ms() + hour_ms};
    tokens.known["token-of-guest"] = {"guest", {}, everything(), clock.wall_ms() + hour_ms};
  }
  Result<Identity> log_in(std::vector<AuthBackend> backends, const std::string& user,
                          const std::string& password) {
    AuthOptions options{std::move(backends), &tokens, {"guest"}};
    const auto offload = [this](const std::function<void()>& work, const std::function<void()>& done) {
      ++slow;
      work();
      done();
      return true;
    };
    Authenticator by(topology, std::move(options), clock, offload);
    std::optional<Result<Identity>> outcome;
    const auto pending = by.check({user, password, false}, [&](Result<Identity> its) { outcome = its; });
    EXPECT_TRUE(outcome.has_value());
    return outcome.value_or(fail(ErrorCode::cancelled, "no answer"));
  }

  broker::Topology topology;
  KnownTokens tokens;
  ManualClock clock;
  int slow = 0;
};

TEST_F(Backends, are_asked_in_order_until_one_knows_better) {
  using enum AuthBackend;
  EXPECT_THAT(log_in({internal, token}, "ann", "secret")->tags, ElementsAre("management"));
  EXPECT_EQ(log_in({internal, token}, "ann", "secret")->grants, nullptr);
  EXPECT_THAT(log_in({internal, token}, "ann", "token-of-ann")->tags, ElementsAre("monitoring"));
  EXPECT_THAT(log_in({internal, token}, "whoever", "token-of-ann")->user, "ann");
  EXPECT_THAT(log_in({token}, "", "token-of-ann")->user, "ann");
  slow = 0;
  EXPECT_THAT(log_in({token, internal}, "ann", "token-of-ann")->tags, ElementsAre("monitoring"));
  EXPECT_EQ(slow, 0) << "a token needs no slow hash where it comes first";
  EXPECT_THAT(log_in({token, internal}, "ann", "secret")->tags, ElementsAre("management"));
  EXPECT_FALSE(log_in({token}, "ann", "secret").has_value());
  EXPECT_FALSE(log_in({internal}, "ann", "token-of-ann").has_value());
}

TEST_F(Backends, all_say_why_they_refuse) {
  using enum AuthBackend;
  const auto nobody = log_in({internal, token}, "bob", "x");
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, ErrorCode::access_refused);
  EXPECT_EQ(nobody.error().message, "user 'bob' is not known; not a token");
  const auto wrong = log_in({internal, token}, "ann", "x");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().message, "wrong password for user 'ann'; not a token");
}

TEST_F(Backends, keep_users_of_the_loopback_there_whatever_their_token_says) {
  const auto guest = log_in({AuthBackend::token}, "", "token-of-guest");
  ASSERT_FALSE(guest.has_value());
  EXPECT_THAT(guest.error().message, HasSubstr("localhost"));
}

class TokenSessions : public NodeTest {
 protected:
  void boot_with_tokens() {
    options.auth = {{AuthBackend::internal, AuthBackend::token}, &tokens, {}};
    options.wall_offset_ms = 1'700'000'000'000;
    start(2);
  }
  std::uint64_t in_ms(std::uint64_t ms) const { return node->clock().wall_ms() + ms; }
  Status renew(TestSession& of, const std::string& secret) {
    Status renewed;
    of.within([&](Session& session) { renewed = session.renew(secret); });
    return renewed;
  }
  KnownTokens tokens;
};

TEST_F(TokenSessions, may_do_what_the_token_grants) {
  boot_with_tokens();
  TestSession all(*node, 1, {"ann", {}, everything(), in_ms(hour_ms)});
  all.declare("q");
  all.publish_to("q", {"a"});
  TestSession reader(*node, 0, {"bob", {}, reading(), in_ms(hour_ms)});
  const auto refused = reader.publish({{"", "q", "b"}})[0];
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            "write access to exchange 'amq.default' in vhost '/' refused for user 'bob'");
  EXPECT_EQ(reader.get("q")->body, "a");
}

TEST_F(TokenSessions, end_when_the_token_expires) {
  boot_with_tokens();
  TestSession client(*node, 1, {"ann", {}, everything(), in_ms(hour_ms)});
  TestSession longer(*node, 1, {"ann", {}, everything(), in_ms(2 * hour_ms)});
  node->pass_ms(hour_ms - 1);
  EXPECT_THAT(client.close_reasons, IsEmpty());
  node->pass_ms(10);
  EXPECT_THAT(client.close_reasons, ElementsAre("credential expired"));
  EXPECT_THAT(longer.close_reasons, IsEmpty());
  node->pass_ms(hour_ms);
  EXPECT_THAT(longer.close_reasons, ElementsAre("credential expired"));
}

TEST_F(TokenSessions, go_on_with_a_new_token_of_the_same_user_and_what_it_allows) {
  boot_with_tokens();
  tokens.known["less"] = {"ann", {}, reading(), in_ms(3 * hour_ms)};
  tokens.known["old"] = {"ann", {}, everything(), in_ms(hour_ms)};
  tokens.known["other"] = {"bob", {}, everything(), in_ms(hour_ms)};
  tokens.known["nowhere"] = {
      "ann", {}, std::make_shared<const broker::Grants>(std::vector<broker::Grant>{}), in_ms(hour_ms)};
  TestSession client(*node, 1, tokens.known["old"]);
  client.declare("q");
  client.publish_to("q", {"a"});
  for (const char* bad : {"other", "nowhere", "unknown"}) EXPECT_FALSE(renew(client, bad).has_value()) << bad;
  EXPECT_TRUE(client.publish({{"", "q", "b"}})[0].has_value()) << "the old one stays";
  EXPECT_TRUE(renew(client, "less").has_value());
  EXPECT_FALSE(client.publish({{"", "q", "c"}})[0].has_value()) << "also where the way was known";
  node->pass_ms(2 * hour_ms);
  EXPECT_THAT(client.close_reasons, IsEmpty());
  node->pass_ms(hour_ms);
  EXPECT_THAT(client.close_reasons, ElementsAre("credential expired"));
}

TEST_F(TokenSessions, of_users_with_a_password_take_any_secret_and_do_not_end) {
  boot_with_tokens();
  TestSession& client = session(1);
  EXPECT_TRUE(renew(client, "anything").has_value());
  node->pass_ms(24 * hour_ms);
  EXPECT_THAT(client.close_reasons, IsEmpty());
}

}  // namespace weir::node
