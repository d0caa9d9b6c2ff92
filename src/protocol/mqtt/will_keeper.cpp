#include "protocol/mqtt/will_keeper.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "protocol/mqtt/codec/topic.h"
#include "protocol/mqtt/retained_stores.h"
#include "protocol/mqtt/stored_properties.h"

namespace weir::mqtt {

void send_will(node::Session& session, const KeptWill& will, const Settings& settings,
               const RetainedStores& retained) {
  const std::string key = routing_key_of(will.topic);
  const Bytes payload = will.payload;
  SentProperties headers(will.stored);
  node::Publish publish;
  publish.message = {.native = broker::NativeForm::mqtt,
                     .persistent = will.qos > 0,
                     .priority = 0,
                     .exchange = settings.exchange,
                     .routing_key = key,
                     .extras = will.extras,
                     .properties = will.stored,
                     .body = {&payload, 1},
                     .body_bytes = payload.size()};
  publish.headers = &headers;
  if (will.retain && retained.is_there(session.info().vhost)) publish.and_queue = retained_queue;
  if (const auto published = session.publish(publish); !published)
    log_warning("mqtt", "the will of client '{}' is not published: {}", session.info().client_id,
                published.error().message);
}

void WillKeeper::keep(const std::string& key, DelayedWill will) {
  wills_.insert_or_assign(key, std::move(will));
  arm();
}

void WillKeeper::come_back(const std::string& key, bool clean_start) {
  const auto at = wills_.find(key);
  if (at == wills_.end()) return;
  if (!clean_start) {
    wills_.erase(at);
    return;
  }
  at->second.due_ms = 0;
  arm();
}

void WillKeeper::arm() {
  if (wills_.empty()) return;
  const auto soonest = std::min_element(wills_.begin(), wills_.end(), [](const auto& a, const auto& b) {
    return a.second.due_ms < b.second.due_ms;
  });
  const std::uint64_t now_ms = client_.clock().monotonic_ns() / 1'000'000;
  client_.timers().arm(timer_, soonest->second.due_ms - std::min(soonest->second.due_ms, now_ms));
}

void WillKeeper::on_due() {
  const std::uint64_t now_ms = client_.clock().monotonic_ns() / 1'000'000;
  std::erase_if(wills_, [&](const auto& one) {
    if (one.second.due_ms > now_ms) return false;
    publish(one.second);
    return true;
  });
  arm();
}

void WillKeeper::publish(const DelayedWill& will) {
  const auto session = client_.open_session({.user = will.identity.user,
                                             .vhost = will.vhost,
                                             .protocol = {},
                                             .client = "last will",
                                             .client_id = will.client_id,
                                             .peer = {},
                                             .grants = will.identity.grants,
                                             .expires_ms = will.identity.expires_ms},
                                            *this);
  if (session) return send_will(**session, will.will, settings_, retained_);
  log_warning("mqtt", "the will of client '{}' is not published: {}", will.client_id,
              session.error().message);
}

}  // namespace weir::mqtt
