// What it is: what became of every order: each is one message, and at the end each must have been confirmed to its shop
// and been written to the database. The database knows orders by their number: one that comes again changes nothing.
// Shard: the thread of the rush; `counts` may be read from any. verdict() is for when the rush is over.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

struct OrderCounts {
  std::atomic<std::uint64_t> arrived{0};    // at the shops
  std::atomic<std::uint64_t> published{0};  // again and again, if need be
  std::atomic<std::uint64_t> confirmed{0};
  std::atomic<std::uint64_t> done{0};      // in the database
  std::atomic<std::uint64_t> again{0};     // came to the database once more
  std::atomic<std::uint64_t> unmarked{0};  // of these, neither marked as redelivered nor published again
  std::atomic<std::uint64_t> strange{0};   // no order of this rush, or not as it was sent
};

struct RushVerdict {
  std::uint64_t orders = 0, confirmed = 0, done = 0, again = 0, unmarked = 0, strange = 0;
  std::vector<std::uint32_t> lost;  // confirmed, and never done
  std::uint64_t left_in_queue = 0;
  bool broker_restarted = false;  // then what came before the crash may come again unmarked

  bool ok() const {
    return confirmed == orders && done == orders && lost.empty() && strange == 0 && left_in_queue == 0 &&
           (unmarked == 0 || broker_restarted);
  }
};

// "100,000 in, 100,000 out, 0 lost", and what else there is to tell, a line for each.
std::string verdict_text(const RushVerdict& verdict);
std::string verdict_json(const RushVerdict& verdict, double seconds);

class OrderBook {
 public:
  OrderBook(std::uint32_t orders, std::uint64_t run) : run_(run), states_(orders) {}

  // The body of the message.
  std::string order_text(std::uint32_t order) const;

  void published(std::uint32_t order);
  void confirmed(std::uint32_t order);
  // What the database makes of a message.
  void commit(std::string_view body, bool redelivered);

  OrderCounts counts;
  RushVerdict verdict() const;

 private:
  struct State {
    bool published : 1 = false, again : 1 = false, confirmed : 1 = false, done : 1 = false;
  };

  std::uint64_t run_;
  std::vector<State> states_;
};

}  // namespace weir::cli
