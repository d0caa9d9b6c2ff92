// What it is: very many MQTT connections that do nothing, opened as fast as the broker lets them in.
// Shard: its own loop, on the calling thread, which open() and close() block. Errors: closed, timed_out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/bench_options.h"
#include "cli/mqtt_client.h"
#include "runtime/loop.h"
#include "runtime/tls.h"

namespace weir::cli {

class MqttCrowd {
 public:
  // Both outlive it.
  MqttCrowd(const BenchServer& server, mqtt::Version version, runtime::TlsContext* tls);
  ~MqttCrowd();

  // One connection for each id, with a clean session; true waits for all to be let in.
  Status open(const std::vector<std::string>& ids);
  // Waits: are they all still there?
  Status hold(double seconds);
  Status close();

 private:
  class Member;

  void open_more();
  void entered();
  void fail(Error error);
  void on_timer();
  Status run(std::uint64_t ms_max, bool time_is_an_error);

  const BenchServer& server_;
  mqtt::Version version_;
  runtime::TlsContext* tls_;
  std::unique_ptr<runtime::Loop> loop_;
  std::vector<std::unique_ptr<Member>> members_;
  const std::vector<std::string>* ids_ = nullptr;  // while they are opened
  std::size_t opened_ = 0;                         // of *ids_
  std::size_t entering_ = 0;
  bool time_is_an_error_ = false;
  Status outcome_;
  runtime::MethodTimer<MqttCrowd, &MqttCrowd::on_timer> timer_{*this};
};

}  // namespace weir::cli
