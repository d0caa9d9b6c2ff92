#include "cli/stomp_client.h"

#include <gtest/gtest.h>

#include "raw_peer.h"

namespace weir::cli {
namespace {

using namespace std::literals;

struct Recorded final : StompEvents {
  void on_ready() override { ++ready; }
  void on_input_begin() override {}
  void on_receipt(std::string_view id) override { receipts.emplace_back(id); }
  void on_message(const stomp::Headers& headers, Bytes body) override {
    messages.push_back(std::string(headers.value_or("subscription", "?")) + "=" + std::string(as_text(body)));
  }
  void on_input_end() override {}
  void on_failed(const Error& error) override { failures.push_back(error.message); }
  void on_closed() override { ++closed; }

  int ready = 0, closed = 0;
  std::vector<std::string> receipts, messages, failures;
};

class StompClientTest : public testing::Test {
 protected:
  void SetUp() override {
    client_.start(pair_->take_left());
    pair_->pump();
  }
  void say(std::string_view frames, std::size_t bytes_max = SIZE_MAX) {
    broker_.send(as_bytes(frames));
    pair_->pump(bytes_max);
  }
  std::string_view heard() const { return as_text(Bytes(broker_.received)); }

  BenchServer server_{.user = "al", .password = "pw"};
  Recorded events_;
  std::unique_ptr<runtime::MemoryPair> pair_ = runtime::make_memory_pair(1U << 20);
  RawPeer broker_{pair_->take_right()};
  StompClient client_{server_, 1024, events_};
};

constexpr std::string_view connected = "CONNECTED\nversion:1.2\n\n\0"sv;

TEST_F(StompClientTest, it_logs_in_and_is_ready_when_it_is_let_in) {
  EXPECT_TRUE(heard().starts_with("CONNECT\naccept-version:1.2\nhost:/\nlogin:al\npasscode:pw\n")) << heard();
  EXPECT_FALSE(client_.may_write());
  say(connected);
  EXPECT_EQ(events_.ready, 1);
  EXPECT_TRUE(client_.may_write());
}

TEST_F(StompClientTest, frames_come_whole_however_their_bytes_come) {
  for (const std::size_t bytes_max : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    if (events_.ready == 0) say(connected);
    events_.messages.clear();
    say("RECEIPT\nreceipt-id:5\n\n\0MESSAGE\nsubscription:3\ncontent-length:3\n\na\0b\0\n"sv, bytes_max);
    EXPECT_EQ(events_.messages, (std::vector<std::string>{std::string("3=a\0b", 5)}));
  }
  EXPECT_EQ(events_.receipts, (std::vector<std::string>{"5", "5", "5"}));
  EXPECT_TRUE(events_.failures.empty());
}

TEST_F(StompClientTest, an_error_is_told_with_its_words) {
  say("ERROR\nmessage:Bad CONNECT\n\nAccess refused\0"sv);
  ASSERT_EQ(events_.failures.size(), 1U);
  EXPECT_EQ(events_.failures[0], "the broker says Bad CONNECT: Access refused");
}

TEST_F(StompClientTest, goodbye_waits_for_its_receipt) {
  say(connected);
  client_.close();
  pair_->pump();
  EXPECT_TRUE(heard().ends_with("DISCONNECT\nreceipt:goodbye\n\n\0"sv));
  EXPECT_EQ(events_.closed, 0);
  say("RECEIPT\nreceipt-id:goodbye\n\n\0"sv);
  EXPECT_EQ(events_.closed, 1);
  EXPECT_TRUE(events_.failures.empty());
}

}  // namespace
}  // namespace weir::cli
