#include "cli/bench_thread.h"

#include <fmt/format.h>

#include "cli/connect_stream.h"

namespace weir::cli {

BenchThread::~BenchThread() { stop(); }

Status BenchThread::make_loop() {
  Result<std::unique_ptr<runtime::Loop>> loop = runtime::Loop::make();
  if (!loop) return std::unexpected(std::move(loop).error());
  loop_ = std::move(*loop);
  return {};
}

void BenchThread::add_producer(std::uint32_t index) {
  producers_.push_back(protocol_.make_producer(index, context_, tally_, *loop_, *this));
}

void BenchThread::add_consumer(std::uint32_t index) {
  consumers_.push_back(protocol_.make_consumer(index, context_, tally_, *loop_));
}

void BenchThread::start() {
  thread_ = std::thread([this] {
    connect_all();
    loop_->run(this);
  });
}

void BenchThread::connect_all() {
  const auto connect_each = [this](auto& connections) {
    for (auto& connection : connections) {
      std::unique_ptr<runtime::ByteStream> stream = connect();
      if (stream == nullptr) return false;
      connection->start(std::move(stream));
    }
    return true;
  };
  if (connect_each(consumers_)) connect_each(producers_);
}

// Null: it could not be reached, which has been told.
std::unique_ptr<runtime::ByteStream> BenchThread::connect() {
  const BenchServer& server = context_.options.server;
  Result<std::unique_ptr<runtime::ByteStream>> stream =
      connect_stream(*loop_, server.host, server.port, tls_);
  if (stream) return std::move(*stream);
  context_.control.fail_with(fmt::format("{}:{}: {}", server.host, server.port, stream.error().message));
  return nullptr;
}

void BenchThread::nudge() {
  nudged_.store(true);
  loop_->wake();
}

bool BenchThread::begin_turn() {
  if (!nudged_.load(std::memory_order_relaxed) || !nudged_.exchange(false)) return false;
  for (auto& producer : producers_) producer->publish_more();
  return true;
}

void BenchThread::finish() {
  loop_->post([this] {
    for (auto& consumer : consumers_) consumer->finish();
    for (auto& producer : producers_) producer->close();
  });
}

void BenchThread::stop() {
  if (!thread_.joinable()) return;
  loop_->stop();
  thread_.join();
}

}  // namespace weir::cli
