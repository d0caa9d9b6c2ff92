// What it is: warns in the log, once a day, while the server's certificate is about to expire or has expired.
// Shard: made, used and destroyed on the shard whose timers it gets.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "runtime/timers.h"

namespace weir::app {

inline constexpr std::int64_t certificate_warning_days = 14;

class CertificateWatch {
 public:
  // `expires_s`: when it does by now, Unix seconds; 0: there is none.
  CertificateWatch(runtime::TimerWheel& timers, Clock& clock, std::function<std::int64_t()> expires_s);
  ~CertificateWatch();
  CertificateWatch(const CertificateWatch&) = delete;
  CertificateWatch& operator=(const CertificateWatch&) = delete;

  // Also when another one was read.
  void look();

 private:
  runtime::TimerWheel& timers_;
  Clock& clock_;
  const std::function<std::int64_t()> expires_s_;
  runtime::MethodTimer<CertificateWatch, &CertificateWatch::look> timer_{*this};
};

}  // namespace weir::app
