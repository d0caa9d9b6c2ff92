#include "cli/amqp_uri.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

TEST(AmqpUri, all_parts_are_taken_and_percent_signs_decoded) {
  const Result<BenchServer> server =
      parse_amqp_uri("amqp://al%40ice:s%2Fecret@broker.example:5673/my%2fhost");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->user, "al@ice");
  EXPECT_EQ(server->password, "s/ecret");
  EXPECT_EQ(server->host, "broker.example");
  EXPECT_EQ(server->port, 5673);
  EXPECT_EQ(server->vhost, "my/host");
  EXPECT_FALSE(server->tls);
}

TEST(AmqpUri, what_is_not_there_keeps_its_default) {
  const Result<BenchServer> server = parse_amqp_uri("amqp://localhost");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->host, "localhost");
  EXPECT_EQ(server->port, 5672);
  EXPECT_EQ(server->user, "guest");
  EXPECT_EQ(server->vhost, "/");
}

TEST(AmqpUri, amqps_means_tls_and_its_port) {
  const Result<BenchServer> server = parse_amqp_uri("amqps://localhost/");
  ASSERT_TRUE(server);
  EXPECT_TRUE(server->tls);
  EXPECT_EQ(server->port, 5671);
  EXPECT_EQ(server->vhost, "");
}

TEST(AmqpUri, an_ipv6_address_stands_in_brackets) {
  const Result<BenchServer> with_port = parse_amqp_uri("amqp://[::1]:5999/v");
  ASSERT_TRUE(with_port);
  EXPECT_EQ(with_port->host, "::1");
  EXPECT_EQ(with_port->port, 5999);
  const Result<BenchServer> without = parse_amqp_uri("amqp://guest@[::1]");
  ASSERT_TRUE(without);
  EXPECT_EQ(without->port, 5672);
}

TEST(AmqpUri, other_schemes_bad_ports_and_broken_escapes_are_refused) {
  for (const char* uri : {"http://localhost", "localhost", "amqp://h:x", "amqp://h:", "amqp://h:0",
                          "amqp://h:70000", "amqp://a%4@h", "amqp://h/%zz", "amqp://[::1", "amqp://[::1]5"}) {
    EXPECT_FALSE(parse_amqp_uri(uri)) << uri;
  }
}

}  // namespace
}  // namespace weir::cli
