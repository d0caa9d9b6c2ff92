#include "protocol/stomp/codec/stored_headers.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::stomp {
namespace {

std::string stored_of(std::string_view lines, Version version) {
  Headers headers;
  EXPECT_TRUE(headers.parse(lines, version, true, 100));
  std::string out;
  append_stored(out, headers);
  return out;
}

std::string lines_of(std::string_view stored, Version version) {
  std::string out;
  append_lines(out, stored, version);
  return out;
}

TEST(StoredHeaders, are_the_senders_lines_without_those_for_the_broker) {
  const std::string kept = "a:1\na:2\nname\\c:v\\\\\n";
  EXPECT_EQ(stored_of("destination:/queue/q\nreceipt:1\n" + kept + "content-length:3\ntransaction:t\n",
                      Version::v1_2),
            kept);
  EXPECT_EQ(lines_of(kept, Version::v1_2), kept);
}

TEST(StoredHeaders, come_to_each_version_in_its_own_escapes) {
  EXPECT_EQ(stored_of("a:x:y\\z\n", Version::v1_0), "a:x\\cy\\\\z\n");
  EXPECT_EQ(lines_of("a:x\\cy\\\\z\n", Version::v1_0), "a:x:y\\z\n");
  EXPECT_EQ(lines_of("a:x\\cy\\rz\n", Version::v1_1), "a:x\\cy\rz\n");
  EXPECT_EQ(lines_of("a:x\\ny\n", Version::v1_0), "a:x y\n");
  EXPECT_EQ(stored_of("a:x\\ny\n", Version::v1_1), "a:x\\ny\n");
}

TEST(StoredHeaders, are_found_by_their_names) {
  EXPECT_EQ(find_stored("a:1\na:2\nb\\cc:3\n", "a"), "1");
  EXPECT_EQ(find_stored("a:1\na:2\nb\\cc:3\n", "b:c"), "3");
  EXPECT_EQ(find_stored("a:1\n", "b"), std::nullopt);
}

TEST(StoredHeaders, that_are_no_headers_are_left_out) {
  std::string seen;
  for_each_stored("no colon\n:no name\ngood:1", [&](std::string_view name, std::string_view value) {
    seen += std::string(name) + "=" + std::string(value) + ";";
  });
  EXPECT_EQ(seen, "good=1;");
}

}  // namespace
}  // namespace weir::stomp
