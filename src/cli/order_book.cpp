#include "cli/order_book.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/quantities.h"

namespace weir::cli {
namespace {

constexpr std::size_t lost_shown_max = 20;
constexpr std::string_view text_begin = R"({"order":)";

std::string lost_text(const std::vector<std::uint32_t>& lost) {
  std::string out;
  for (std::size_t i = 0; i < lost.size() && i < lost_shown_max; ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", lost[i]);
  if (lost.size() > lost_shown_max) out += fmt::format(" and {} more", grouped(lost.size() - lost_shown_max));
  return out;
}

}  // namespace

std::string OrderBook::order_text(std::uint32_t order) const {
  return fmt::format(R"({}{},"rush":"{:016x}","row":{},"seat":{},"customer":"c{}","cents":{}}})", text_begin,
                     order, run_, order / 40 + 1, order % 40 + 1, order * 2654435761U % 1'000'003,
                     3'900 + order % 7 * 500);
}

void OrderBook::published(std::uint32_t order) {
  State& state = states_[order];
  if (state.published) state.again = true;
  state.published = true;
  counts.published.fetch_add(1, std::memory_order_relaxed);
}

void OrderBook::confirmed(std::uint32_t order) {
  if (states_[order].confirmed) return;
  states_[order].confirmed = true;
  counts.confirmed.fetch_add(1, std::memory_order_relaxed);
}

void OrderBook::commit(std::string_view body, bool redelivered) {
  std::uint32_t order = UINT32_MAX;
  if (body.starts_with(text_begin))
    std::from_chars(body.data() + text_begin.size(), body.data() + body.size(), order);
  if (order >= states_.size() || body != order_text(order)) {
    counts.strange.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  State& state = states_[order];
  if (!state.done) {
    state.done = true;
    counts.done.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  counts.again.fetch_add(1, std::memory_order_relaxed);
  if (!redelivered && !state.again) counts.unmarked.fetch_add(1, std::memory_order_relaxed);
}

RushVerdict OrderBook::verdict() const {
  RushVerdict verdict;
  verdict.orders = states_.size();
  for (std::uint32_t order = 0; order < states_.size(); ++order) {
    verdict.confirmed += states_[order].confirmed;
    verdict.done += states_[order].done;
    if (states_[order].confirmed && !states_[order].done) verdict.lost.push_back(order);
  }
  verdict.again = counts.again.load();
  verdict.unmarked = counts.unmarked.load();
  verdict.strange = counts.strange.load();
  return verdict;
}

std::string verdict_text(const RushVerdict& verdict) {
  std::string out = fmt::format("{} in, {} out, {} lost\n", grouped(verdict.confirmed), grouped(verdict.done),
                                grouped(verdict.lost.size()));
  if (!verdict.lost.empty()) out += fmt::format("lost orders: {}\n", lost_text(verdict.lost));
  if (verdict.confirmed < verdict.orders)
    out += fmt::format("{} of {} orders were never confirmed\n", grouped(verdict.orders - verdict.confirmed),
                       grouped(verdict.orders));
  if (verdict.again > 0)
    out += fmt::format("{} came a second time; the database knew them by their number\n",
                       grouped(verdict.again));
  if (verdict.unmarked > 0 && !verdict.broker_restarted)
    out += fmt::format("{} of them were delivered twice without being marked as redelivered\n",
                       grouped(verdict.unmarked));
  if (verdict.strange > 0)
    out += fmt::format("{} messages were no order of this rush, or not as they were sent\n",
                       grouped(verdict.strange));
  if (verdict.left_in_queue > 0)
    out += fmt::format("{} messages are left in the queue\n", grouped(verdict.left_in_queue));
  return out;
}

std::string verdict_json(const RushVerdict& verdict, double seconds) {
  std::string lost;
  for (const std::uint32_t order : verdict.lost) lost += fmt::format("{}{}", lost.empty() ? "" : ",", order);
  return fmt::format(
      R"({{"ok":{},"orders":{},"confirmed":{},"done":{},"lost":[{}],"again":{},"unmarked":{},"strange":{},)"
      R"("left_in_queue":{},"broker_restarted":{},"seconds":{:.3f}}})"
      "\n",
      verdict.ok(), verdict.orders, verdict.confirmed, verdict.done, lost, verdict.again, verdict.unmarked,
      verdict.strange, verdict.left_in_queue, verdict.broker_restarted, seconds);
}

}  // namespace weir::cli
