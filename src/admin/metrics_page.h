// What it is: the pages that Prometheus scrapes, over HTTP: asks the shards, and has the text written off the shard's thread.
// Shard: its BrokerClient's. Lifetime: the broker outlives it; it outlives its connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "admin/metrics.h"
#include "node/session.h"
#include "protocol/http/exchange.h"

namespace weir::admin {

struct MetricsSurroundings {
  node::BrokerClient& client;
  // `work` on a thread of its own, then `done` on this one. False: too much is waiting.
  std::function<bool(std::function<void()> work, std::function<void()> done)> offload;
  // What the process uses and may use, measured now. Any thread.
  std::function<NodeFacts()> measure;
};

class MetricsPage final : public http::Handler {
 public:
  // Scrapes at a time; beyond it the answer is 503.
  static constexpr std::size_t scrapes_max = 8;

  explicit MetricsPage(MetricsSurroundings surroundings) : at_(std::move(surroundings)) {}

  void on_head(const std::shared_ptr<http::Exchange>& exchange) override;
  void on_request(const std::shared_ptr<http::Exchange>& exchange) override;
  // Before the shards stop: nobody is asked any more.
  void stop() { scrapes_.clear(); }

 private:
  struct Scrape {
    std::shared_ptr<http::Exchange> exchange;
    MetricsWish wish;
    std::unique_ptr<node::Observing> question;
  };
  void observed(std::uint64_t number, node::Observed&& rows);
  void write(const std::shared_ptr<http::Exchange>& exchange, MetricsWish wish, MetricsValues values);

  MetricsSurroundings at_;
  std::map<std::uint64_t, Scrape> scrapes_;
  std::uint64_t next_scrape_ = 1;
  std::size_t writing_ = 0;
};

}  // namespace weir::admin
