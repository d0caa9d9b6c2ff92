#include "node/publish_rates.h"

#include <algorithm>

#include "broker/tenant_limits.h"

namespace weir::node {

using broker::LimitOf;

std::unique_ptr<PublishRates> PublishRates::make(const broker::Topology& topology, std::string_view user,
                                                 std::string_view vhost, Tenant& of_user, Tenant& of_vhost) {
  PublishRates rates;
  bool any = false;
  const auto read = [&](Rate& rate, LimitOf of, std::string_view subject, std::string_view name,
                        RateGate& gate) {
    const auto per_s = topology.limits().value(of, subject, name);
    if (!per_s) return;
    rate = {&gate, std::max<std::uint64_t>(*per_s, 1)};
    any = true;
  };
  namespace names = broker::limit_names;
  read(rates.messages_[0], LimitOf::user, user, names::max_publish_rate, of_user.messages_gate);
  read(rates.messages_[1], LimitOf::vhost, vhost, names::max_publish_rate, of_vhost.messages_gate);
  read(rates.bytes_[0], LimitOf::user, user, names::max_publish_bytes_rate, of_user.bytes_gate);
  read(rates.bytes_[1], LimitOf::vhost, vhost, names::max_publish_bytes_rate, of_vhost.bytes_gate);
  return any ? std::make_unique<PublishRates>(rates) : nullptr;
}

std::uint64_t PublishRates::take_ns(std::uint64_t body_bytes, std::uint64_t now_ns) const {
  std::uint64_t wait_ns = 0;
  for (std::size_t i = 0; i < rates_max; ++i) {
    if (messages_[i].gate != nullptr)
      wait_ns = std::max(wait_ns, messages_[i].gate->take_ns(1, messages_[i].per_s, now_ns));
    if (bytes_[i].gate != nullptr)
      wait_ns = std::max(wait_ns, bytes_[i].gate->take_ns(body_bytes, bytes_[i].per_s, now_ns));
  }
  return wait_ns;
}

}  // namespace weir::node
