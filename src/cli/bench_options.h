// What it is: what one run of the load generator does, as plain values (bench_amqp.cpp fills it from the command line).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace weir::cli {

struct BenchServer {
  std::string host = "127.0.0.1";
  std::uint16_t port = 5672;
  std::string user = "guest";
  std::string password = "guest";
  std::string vhost = "/";
  bool tls = false;
};

struct BenchOptions {
  BenchServer server{};

  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  std::uint32_t filled_by = 0;  // without producers: so many filled the queues in one run, to be verified
  std::uint32_t queues = 1;
  std::uint32_t fanout = 0;  // this many queues on one fanout exchange

  std::uint32_t size_bytes = 1024;
  std::uint64_t messages = 0;  // 0: by time
  double seconds = 10;
  double warmup_s = 1;
  double rate_per_s = 0;        // 0: as fast as it goes
  std::uint32_t window = 1000;  // unconfirmed messages per producer
  std::uint64_t backlog = 0;    // messages published but not consumed, in all; 0: any number
  bool confirm = true;
  bool tx = false;  // publish in transactions of at most `window` messages, instead of confirms
  bool persistent = true;
  bool mandatory = false;

  std::string queue_type = "classic";
  bool durable_queue = true;
  std::string exchange{};  // empty: the default exchange
  std::string exchange_type = "direct";
  std::string routing_key{};  // empty: each queue's own name
  std::string binding_key{};  // empty: the routing key
  std::string name_prefix = "weir-bench";
  bool keep = false;

  std::uint32_t prefetch = 1000;
  std::uint32_t ack_every = 1;
  bool auto_ack = false;

  std::uint32_t threads = 2;
  std::uint16_t heartbeat_s = 0;
  bool verify = true;
  double drain_idle_s = 30;  // the drain has failed when nothing has come for so long
  std::string json_file{};
  std::int64_t broker_pid = 0;  // whose CPU time is reported too
};

}  // namespace weir::cli
