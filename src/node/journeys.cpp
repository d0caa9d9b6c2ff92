#include "node/journeys.h"

#include <algorithm>

#include "base/limits.h"

namespace weir::node {

void Journeys::trace(const std::string& vhost, bool on) {
  if (on) {
    vhosts_.insert(vhost);
    return;
  }
  if (vhosts_.erase(vhost) == 0 || !vhosts_.empty()) return;
  journeys_.clear();
  numbers_.clear();
}

void Journeys::queued(const std::string& vhost, const std::string& name, QueueId queue, Seq seq,
                      const broker::IncomingMessage& message, std::uint64_t now_ms) {
  if (!vhosts_.contains(vhost)) return;
  if (journeys_.size() >= journeys_max) {
    numbers_.erase({journeys_.front().queue_id, journeys_.front().seq});
    journeys_.pop_front();
    ++forgotten_;
  }
  Journey& made = journeys_.emplace_back();
  numbers_[{queue, seq}] = forgotten_ + journeys_.size() - 1;
  made.vhost = vhost;
  made.queue = name;
  made.queue_id = queue;
  made.seq = seq;
  made.exchange = message.exchange;
  made.routing_key = message.routing_key;
  made.body_bytes = message.body_bytes;
  made.persistent = message.persistent;
  if (headers_of_.property != nullptr) {
    made.message_id = headers_of_.property(message.native, message.properties, "message_id").value_or("");
    made.correlation_id =
        headers_of_.property(message.native, message.properties, "correlation_id").value_or("");
  }
  if (headers_of_.headers != nullptr) {
    const broker::Table headers = headers_of_.headers(message.native, message.properties);
    const broker::Value* const parent = headers.find("traceparent");
    const std::string* const text = parent == nullptr ? nullptr : parent->as_string();
    if (text != nullptr) made.traceparent = text->substr(0, limits::name_bytes_max);
  }
  made.steps.push_back({now_ms, "queued", {}});
}

void Journeys::step(QueueId queue, Seq seq, std::string_view what, std::uint64_t now_ms,
                    std::string_view consumer) {
  const auto at = numbers_.find({queue, seq});
  if (at == numbers_.end()) return;
  std::vector<JourneyStep>& steps = journeys_[at->second - forgotten_].steps;
  if (steps.size() >= journey_steps_max)
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(journey_steps_max / 2));
  steps.push_back({now_ms, what, std::string(consumer)});
}

std::vector<Journey> Journeys::find(const JourneyQuery& query) const {
  const auto fits = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  std::vector<Journey> found;
  for (auto at = journeys_.rbegin(); at != journeys_.rend() && found.size() < journeys_found_max; ++at) {
    if (fits(query.vhost, at->vhost) && fits(query.message_id, at->message_id) &&
        fits(query.correlation_id, at->correlation_id) &&
        at->traceparent.find(query.traceparent) != std::string::npos)
      found.push_back(*at);
  }
  return found;
}

}  // namespace weir::node
