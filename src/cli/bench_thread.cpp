#include "cli/bench_thread.h"

#include <fmt/format.h>

#include "cli/connect_stream.h"

namespace weir::cli {

namespace {
// Connections that are being set up. More than a broker's listen queue holds would cost seconds of the kernel's patience.
constexpr std::size_t setting_up_max = 64;
}  // namespace

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
    for (auto& consumer : consumers_) connections_.push_back(consumer.get());
    for (auto& producer : producers_) connections_.push_back(producer.get());
    connect_more();
    loop_->run(this);
  });
}

void BenchThread::connect_more() {
  while (set_up_ < started_ && connections_[set_up_]->ready()) ++set_up_;
  while (started_ < connections_.size() && started_ - set_up_ < setting_up_max) {
    std::unique_ptr<runtime::ByteStream> stream = connect();
    if (stream == nullptr) {
      connections_.resize(started_);
      return;
    }
    connections_[started_++]->start(std::move(stream));
  }
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
  if (started_ < connections_.size()) [[unlikely]]
    connect_more();
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
