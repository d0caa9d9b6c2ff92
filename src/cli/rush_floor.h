// What it is: shops, workers and the database of a rush, on a loop with a thread of its own: orders arrive by the timetable,
// whether there is a broker or not, and the database writes so many a second of what workers hold.
// Shard: its own; what is public is for the main thread.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "cli/pacer.h"
#include "cli/rush_options.h"
#include "cli/rush_shop.h"
#include "cli/rush_worker.h"
#include "runtime/tls.h"

namespace weir::cli {

class RushFloor {
 public:
  RushFloor(const RushOptions& options, OrderBook& book) : options_(options), book_(book) {}
  ~RushFloor();

  Status start(const BenchServer& server, const std::string& queue);
  // The worker dies after the database has written some of its orders, and before they are acknowledged.
  void kill_worker(std::size_t worker);
  void revive_worker(std::size_t worker);
  // Acknowledges, says goodbye everywhere, and joins.
  void finish();

  const std::vector<std::unique_ptr<RushWorker>>& workers() const { return workers_; }

 private:
  void on_tick();
  void write_to_database(std::uint64_t now_ns);

  const RushOptions& options_;
  OrderBook& book_;
  std::unique_ptr<runtime::Loop> loop_;
  std::unique_ptr<runtime::TlsContext> tls_;
  std::unique_ptr<RushPlace> place_;
  std::vector<std::unique_ptr<RushShop>> shops_;
  std::vector<std::unique_ptr<RushWorker>> workers_;
  std::unique_ptr<Pacer> arrivals_;
  double allowance_ = 0;  // orders that the database may write now
  std::uint64_t last_ns_ = 0;
  bool closing_ = false;
  std::uint64_t close_by_ns_ = 0;
  std::thread thread_;
  runtime::MethodTimer<RushFloor, &RushFloor::on_tick> timer_{*this};
};

}  // namespace weir::cli
