#include "protocol/http/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/http/connections.h"
#include "support/fake_broker.h"

namespace weir::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// Answers with what it was asked, at once or when it is told to.
class Echo final : public Handler {
 public:
  void on_head(const std::shared_ptr<Exchange>& exchange) override {
    ++heads;
    if (refuse) return answer(*exchange, 401);
    if (hold_heads) return held.push_back(exchange);
    exchange->expect_body(1'000'000);
  }
  void on_request(const std::shared_ptr<Exchange>& exchange) override {
    asked.push_back(exchange->request().method + " " + exchange->request().target + " " +
                    exchange->request().body);
    if (hold) return held.push_back(exchange);
    answer(*exchange, 200);
  }
  void answer(Exchange& exchange, unsigned status) const {
    Response response;
    response.status = status;
    response.body = body_bytes > 0 ? std::string(body_bytes, 'x') : "[" + exchange.request().body + "]";
    exchange.reply(std::move(response));
  }

  bool refuse = false, hold = false, hold_heads = false;
  std::size_t body_bytes = 0;
  int heads = 0;
  std::vector<std::string> asked;
  std::vector<std::shared_ptr<Exchange>> held;
};

class HttpConnection : public testing::Test, private runtime::StreamHandler {
 protected:
  void SetUp() override { connect(); }

  void connect(std::size_t capacity = 1U << 20) {
    pair_ = runtime::make_memory_pair(capacity);
    connections_.accept(pair_->take_right());
    client_ = pair_->take_left();
    client_->open(*this);
    run();
  }
  void run() {
    for (bool moved = true; moved;) {
      moved = pair_->pump(bytes_per_read_) > 0;
      moved = broker_.end_turn() || moved;
    }
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      const Bytes piece = as_bytes(text);
      const auto count = client_->write({&piece, 1});
      if (!count) return;
      text.remove_prefix(*count);
      run();
    }
  }
  void pass_ms(std::uint64_t ms) {
    broker_.advance_ms(ms);
    run();
  }
  std::string received() { return std::exchange(received_, {}); }

  test::FakeBroker broker_;
  Echo echo_;
  Connections connections_{broker_, echo_, 2};
  std::size_t bytes_per_read_ = SIZE_MAX;
  bool closed_ = false;
  bool reads_ = true;

 private:
  void on_readable() override {
    std::byte buffer[4'096];
    while (reads_) {
      const auto count = client_->read(buffer);
      if (!count || *count == 0) return;
      received_ += as_text({buffer, *count});
    }
  }
  void on_writable() override {}
  void on_closed(const Error&) override { closed_ = true; }

  std::unique_ptr<runtime::MemoryPair> pair_;
  std::unique_ptr<runtime::ByteStream> client_;
  std::string received_;
};

TEST_F(HttpConnection, answers_request_after_request) {
  for (std::size_t piece : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    bytes_per_read_ = piece;
    send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_THAT(received(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\n[hi]")));
  }
  EXPECT_FALSE(closed_);
}

TEST_F(HttpConnection, answers_what_was_sent_ahead_in_its_order) {
  echo_.hold = true;
  send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_EQ(echo_.asked.size(), 1U);
  echo_.answer(*echo_.held[0], 200);
  run();
  ASSERT_EQ(echo_.asked.size(), 2U);
  EXPECT_EQ(echo_.asked[1], "GET /2 ");
  echo_.answer(*echo_.held[1], 404);
  run();
  const std::string text = received();
  EXPECT_LT(text.find("200 OK"), text.find("404 Not Found"));
}

TEST_F(HttpConnection, an_answer_in_pieces_asks_for_each_when_the_last_one_is_on_its_way) {
  echo_.hold = true;
  send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::shared_ptr<Exchange> exchange = echo_.held.at(0);
  EXPECT_TRUE(exchange->request().takes_pieces);
  int wanted = 0;
  exchange->wanted = [&] { ++wanted; };
  Response response;
  response.in_pieces = true;
  response.body = "[";
  exchange->reply(std::move(response));
  run();
  EXPECT_EQ(wanted, 1);
  EXPECT_THAT(received(), AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), EndsWith("\r\n\r\n1\r\n[\r\n")));
  pass_ms(60'000);
  EXPECT_FALSE(closed_) << "it is not the client that is slow";
  exchange->more("0123456789abcdefXYZ", false);
  run();
  EXPECT_EQ(wanted, 2);
  EXPECT_EQ(received(), "13\r\n0123456789abcdefXYZ\r\n");
  EXPECT_EQ(echo_.asked.size(), 1U) << "the next request waits";
  exchange->more("]", true);
  run();
  EXPECT_EQ(received(), "1\r\n]\r\n0\r\n\r\n");
  EXPECT_EQ(wanted, 2);
  EXPECT_FALSE(exchange->alive());
  EXPECT_EQ(echo_.asked.size(), 2U);
}

TEST_F(HttpConnection, a_client_that_does_not_read_is_sent_one_piece_and_no_other) {
  connect(1'000);
  echo_.hold = true;
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  reads_ = false;
  const std::shared_ptr<Exchange> exchange = echo_.held.at(0);
  int wanted = 0;
  exchange->wanted = [&] { ++wanted; };
  Response response;
  response.in_pieces = true;
  response.body = std::string(100'000, 'x');
  exchange->reply(std::move(response));
  run();
  EXPECT_EQ(wanted, 0);
  pass_ms(10'000);
  EXPECT_FALSE(exchange->alive()) << "it has to get on";
  EXPECT_EQ(exchange->wanted, nullptr);
}

TEST_F(HttpConnection, an_answer_that_cannot_be_finished_ends_the_connection_without_its_end) {
  echo_.hold = true;
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::shared_ptr<Exchange> exchange = echo_.held.at(0);
  Response response;
  response.in_pieces = true;
  response.body = "[";
  exchange->reply(std::move(response));
  exchange->give_up();
  run();
  EXPECT_TRUE(closed_);
  EXPECT_THAT(received(), testing::Not(HasSubstr("0\r\n\r\n")));
}

TEST_F(HttpConnection, head_is_answered_without_pieces_and_older_clients_are_known) {
  echo_.hold = true;
  send("HEAD / HTTP/1.0\r\n\r\n");
  const std::shared_ptr<Exchange> exchange = echo_.held.at(0);
  EXPECT_FALSE(exchange->request().takes_pieces);
  Response response;
  response.in_pieces = true;
  response.body = "[";
  exchange->reply(std::move(response));
  run();
  EXPECT_THAT(received(), EndsWith("\r\n\r\n"));
  EXPECT_FALSE(exchange->alive());
}

TEST_F(HttpConnection, an_answer_to_head_says_how_long_it_would_be_and_has_no_body) {
  echo_.body_bytes = 123;
  send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(received(), AllOf(HasSubstr("Content-Length: 123\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpConnection, tells_a_client_to_go_on_that_waits_for_it) {
  send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(received(), "HTTP/1.1 100 Continue\r\n\r\n");
  send("ok");
  EXPECT_THAT(received(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("[ok]")));
}

TEST_F(HttpConnection, a_refused_head_ends_the_connection_before_its_body_is_taken_for_a_request) {
  echo_.refuse = true;
  send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 30\r\n\r\n");
  send("GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(received(), AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("Connection: close")));
  EXPECT_TRUE(closed_);
  EXPECT_EQ(echo_.heads, 1);
}

TEST_F(HttpConnection, a_refused_request_without_a_body_keeps_the_connection) {
  echo_.refuse = true;
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(echo_.heads, 2);
  EXPECT_FALSE(closed_);
}

TEST_F(HttpConnection, ends_when_the_client_says_so) {
  send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(received(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(closed_);
  EXPECT_EQ(connections_.size(), 0U);
}

TEST_F(HttpConnection, garbage_is_answered_and_ends_the_connection) {
  send("what\r\n\r\n");
  EXPECT_THAT(received(), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(closed_);
}

TEST_F(HttpConnection, a_head_that_trickles_in_has_its_time) {
  send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 9; ++i) {
    pass_ms(1'000);
    send("A: b\r\n");
  }
  EXPECT_FALSE(closed_);
  pass_ms(1'500);
  EXPECT_THAT(received(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(closed_);
}

TEST_F(HttpConnection, a_body_has_to_get_on) {
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  send(std::string(20'000, 'x'));
  pass_ms(10'001);
  EXPECT_FALSE(closed_);
  send("slowly");
  pass_ms(10'001);
  EXPECT_THAT(received(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(closed_);
}

TEST_F(HttpConnection, an_idle_one_is_let_go_without_a_word) {
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  received();
  pass_ms(59'000);
  EXPECT_FALSE(closed_);
  pass_ms(1'500);
  EXPECT_TRUE(closed_);
  EXPECT_THAT(received(), IsEmpty());
}

TEST_F(HttpConnection, a_client_that_does_not_read_its_answer_is_let_go) {
  connect(1'000);
  reads_ = false;
  echo_.body_bytes = 100'000;
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(connections_.size(), 2U);
  pass_ms(10'001);
  EXPECT_EQ(connections_.size(), 0U);  // the first one was silent as long
}

TEST_F(HttpConnection, a_large_answer_leaves_in_pieces) {
  connect(1'000);
  echo_.body_bytes = 100'000;
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  run();
  const std::string text = received();
  EXPECT_EQ(text.size() - text.find("\r\n\r\n") - 4, 100'000U);
}

TEST_F(HttpConnection, an_answer_may_come_when_nobody_waits_any_more) {
  echo_.hold_heads = true;
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_EQ(echo_.held.size(), 1U);
  bool ended = false;
  connections_.shut_down([&] { ended = true; });
  run();
  EXPECT_FALSE(ended);  // it is in work
  pass_ms(2'001);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(echo_.held[0]->alive());
  echo_.answer(*echo_.held[0], 200);
  EXPECT_THAT(received(), IsEmpty());
}

TEST_F(HttpConnection, what_is_in_work_is_answered_before_the_end) {
  echo_.hold = true;
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  bool ended = false;
  connections_.shut_down([&] { ended = true; });
  run();
  echo_.answer(*echo_.held[0], 200);
  run();
  EXPECT_TRUE(ended);
  EXPECT_THAT(received(), HasSubstr("Connection: close"));
}

TEST_F(HttpConnection, no_more_than_so_many_are_let_in) {
  connect();
  EXPECT_EQ(connections_.size(), 2U);
  closed_ = false;
  connect();
  EXPECT_TRUE(closed_);
  EXPECT_EQ(connections_.size(), 2U);
}

}  // namespace
}  // namespace weir::http
