#include "app/certificate_watch.h"

#include <utility>

#include "base/log.h"

namespace weir::app {
namespace {

constexpr std::int64_t day_s = 86'400;

}  // namespace

CertificateWatch::CertificateWatch(runtime::TimerWheel& timers, Clock& clock,
                                   std::function<std::int64_t()> expires_s)
    : timers_(timers), clock_(clock), expires_s_(std::move(expires_s)) {
  look();
}

CertificateWatch::~CertificateWatch() { timers_.cancel(timer_); }

void CertificateWatch::look() {
  timers_.arm(timer_, std::uint64_t{day_s} * 1'000);
  const std::int64_t expires_s = expires_s_();
  if (expires_s == 0) return;
  const std::int64_t left_s = expires_s - static_cast<std::int64_t>(clock_.wall_ms() / 1'000);
  if (left_s <= 0) {
    log_error("server", "the certificate of the TLS listeners has expired: clients will refuse it");
  } else if (left_s <= certificate_warning_days * day_s) {
    log_warning("server", "the certificate of the TLS listeners expires in {} days", left_s / day_s);
  }
}

}  // namespace weir::app
