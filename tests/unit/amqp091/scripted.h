// What it is: the fixture of scripted tests: each runs twice, with the client's bytes read as they come and one at a time.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support/amqp_script.h"
#include "support/fake_world.h"

namespace weir::amqp091 {

using test::AmqpPeer;
using test::FakeWorld;
using test::Login;

class Scripted : public testing::TestWithParam<std::size_t> {
 protected:
  Scripted() { world.bytes_per_read = GetParam(); }
  // A peer with channel 1 open.
  void connect(AmqpPeer& peer) {
    peer.handshake();
    peer.open_channel(1);
  }
  FakeWorld world;
};

inline std::string read_size_name(const testing::TestParamInfo<std::size_t>& info) {
  return info.param == 1 ? "one_byte_at_a_time" : "whole";
}

// A suite of its own per file: `class Publishing : public Scripted {}; WEIR_SCRIPTED(Publishing);`
#define WEIR_SCRIPTED(suite) \
  INSTANTIATE_TEST_SUITE_P(reads, suite, testing::Values(SIZE_MAX, std::size_t{1}), read_size_name)

}  // namespace weir::amqp091
