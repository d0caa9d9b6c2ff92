#include "cli/bench_report.h"

#include <fmt/format.h>

#include <iterator>

namespace weir::cli {

namespace {

double per_s(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double us(std::uint64_t ns) { return static_cast<double>(ns) / 1000; }

const std::vector<std::uint64_t>& series_of(const BenchOptions& options, const BenchReport& report) {
  return options.consumers > 0 ? report.tally.consumed_per_s : report.tally.confirmed_per_s;
}

std::uint64_t counted_messages(const BenchOptions& options, const BenchReport& report) {
  if (options.consumers > 0) return report.tally.consumed;
  return options.confirm ? report.tally.confirmed : report.tally.published;
}

void append_latency(std::string& out, const char* name, const LatencyHistogram& latency) {
  if (latency.count() == 0) return;
  fmt::format_to(std::back_inserter(out),
                 "{:<18} p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  p99.9 {:.0f}  max {:.0f} us\n", name,
                 us(latency.percentile_ns(0.5)), us(latency.percentile_ns(0.9)),
                 us(latency.percentile_ns(0.99)), us(latency.percentile_ns(0.999)), us(latency.max_ns()));
}

void append_usage(std::string& out, const char* name, const ProcessUsage& usage, std::uint64_t messages) {
  const double per_message_us = messages > 0 ? 1e6 / static_cast<double>(messages) : 0;
  fmt::format_to(
      std::back_inserter(out), "{:<18} {:.2f} s user, {:.2f} s system: {:.2f} + {:.2f} us per message\n",
      name, usage.user_s, usage.system_s, usage.user_s * per_message_us, usage.system_s * per_message_us);
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json_latency(const LatencyHistogram& latency) {
  return fmt::format(
      R"({{"count": {}, "mean": {:.1f}, "p50": {:.1f}, "p90": {:.1f}, "p99": {:.1f}, "p99_9": {:.1f}, )"
      R"("max": {:.1f}}})",
      latency.count(), latency.mean_ns() / 1000, us(latency.percentile_ns(0.5)),
      us(latency.percentile_ns(0.9)), us(latency.percentile_ns(0.99)), us(latency.percentile_ns(0.999)),
      us(latency.max_ns()));
}

std::string json_usage(const ProcessUsage& usage) {
  return fmt::format(R"({{"user_s": {:.3f}, "system_s": {:.3f}, "resident_bytes": {}}})", usage.user_s,
                     usage.system_s, usage.resident_bytes);
}

std::string json_options(const BenchOptions& o) {
  return fmt::format(
      R"({{"producers": {}, "consumers": {}, "queues": {}, "fanout": {}, "size": {}, "messages": {}, "seconds": {}, )"
      R"("warmup": {}, "rate": {}, "window": {}, "backlog": {}, "confirm": {}, "persistent": {}, "queue_type": {}, )"
      R"("durable_queue": {}, "exchange": {}, "prefetch": {}, "ack_every": {}, "auto_ack": {}, "threads": {}, )"
      R"("tls": {}, "verify": {}}})",
      o.producers, o.consumers, o.queues, o.fanout, o.size_bytes, o.messages, o.seconds, o.warmup_s,
      o.rate_per_s, o.window, o.backlog, o.confirm, o.persistent, json_text(o.queue_type), o.durable_queue,
      json_text(o.exchange), o.prefetch, o.ack_every, o.auto_ack, o.threads, o.server.tls, o.verify);
}

std::string json_faults(const BenchReport& r) {
  return fmt::format(
      R"({{"lost": {}, "unconfirmed": {}, "duplicates": {}, "reordered": {}, "misrouted": {}, "foreign": {}, )"
      R"("wrong_length": {}, "refused": {}, "returned": {}, "bad_confirms": {}, "redelivered": {}}})",
      r.lost, r.unconfirmed, r.tally.duplicates, r.tally.reordered, r.tally.misrouted, r.tally.foreign,
      r.tally.wrong_length, r.tally.refused, r.tally.returned, r.tally.bad_confirms, r.tally.redelivered);
}

void append_faults(std::string& out, const BenchReport& report) {
  const BenchTally& t = report.tally;
  const auto line = [&out](const char* what, std::uint64_t count) {
    if (count > 0) fmt::format_to(std::back_inserter(out), "FAULT              {} {}\n", count, what);
  };
  line("messages lost", report.lost);
  line("messages never confirmed", report.unconfirmed);
  line("messages delivered twice", t.duplicates);
  line("messages out of order", t.reordered);
  line("messages from the wrong queue", t.misrouted);
  line("messages that are not of this run", t.foreign);
  line("bodies of the wrong length", t.wrong_length);
  line("messages refused (basic.nack)", t.refused);
  line("messages returned as unroutable", t.returned);
  line("confirms of nothing that was waiting", t.bad_confirms);
  if (!report.failure.empty())
    fmt::format_to(std::back_inserter(out), "FAULT              {}\n", report.failure);
}

}  // namespace

double throughput_per_s(const BenchOptions& options, const BenchReport& report) {
  return per_s(counted_messages(options, report), report.measured_s);
}

std::string report_text(const BenchOptions& options, const BenchReport& report) {
  std::string out;
  auto to = std::back_inserter(out);
  const double rate = throughput_per_s(options, report);
  fmt::format_to(to,
                 "throughput         {:.0f} messages/s, {:.1f} MB/s over {:.2f} s (then {:.2f} s to drain)\n",
                 rate, rate * options.size_bytes / 1e6, report.measured_s, report.drain_s);
  fmt::format_to(to, "                   published {:.0f}/s, confirmed {:.0f}/s, consumed {:.0f}/s\n",
                 per_s(report.tally.published, report.measured_s),
                 per_s(report.tally.confirmed, report.measured_s),
                 per_s(report.tally.consumed, report.measured_s));
  append_latency(out, "publish-confirm", report.tally.confirm_latency);
  append_latency(out, "publish-deliver", report.tally.deliver_latency);
  append_latency(out, "sent late by", report.tally.lateness);
  const std::uint64_t messages = counted_messages(options, report);
  append_usage(out, "generator", report.generator, messages);
  if (options.broker_pid > 0) {
    append_usage(out, "broker", report.broker, messages);
    fmt::format_to(to, "broker memory      {:.1f} MiB resident\n",
                   static_cast<double>(report.broker.resident_bytes) / (1 << 20));
  }
  fmt::format_to(to, "in all             {} published, {} confirmed, {} consumed, {} left in the queues\n",
                 report.published, report.confirmed, report.consumed, report.left_in_queues);
  fmt::format_to(to, "per second        ");
  for (const std::uint64_t count : series_of(options, report)) fmt::format_to(to, " {}", count);
  out += '\n';
  append_faults(out, report);
  const bool verified = options.verify && options.producers + options.filled_by > 0 && options.consumers > 0;
  if (verified && report.ok()) out += "verified           nothing lost, doubled or out of order\n";
  return out;
}

std::string report_json(const BenchOptions& options, const BenchReport& report) {
  const BenchTally& t = report.tally;
  return fmt::format(
      "{{\n  \"ok\": {},\n  \"failure\": {},\n  \"options\": {},\n  \"measured_s\": {:.3f},\n  \"drain_s\": "
      "{:.3f},\n"
      "  \"throughput_per_s\": {:.1f},\n  \"bytes_per_s\": {:.0f},\n"
      "  \"published_per_s\": {:.1f},\n  \"confirmed_per_s\": {:.1f},\n  \"consumed_per_s\": {:.1f},\n"
      "  \"latency_us\": {{\"confirm\": {}, \"deliver\": {}, \"lateness\": {}}},\n"
      "  \"total\": {{\"published\": {}, \"confirmed\": {}, \"consumed\": {}, \"left_in_queues\": {}}},\n"
      "  \"faults\": {},\n  \"cpu\": {{\"generator\": {}, \"broker\": {}}},\n  \"series\": [{}]\n}}\n",
      report.ok(), json_text(report.failure), json_options(options), report.measured_s, report.drain_s,
      throughput_per_s(options, report), throughput_per_s(options, report) * options.size_bytes,
      per_s(t.published, report.measured_s), per_s(t.confirmed, report.measured_s),
      per_s(t.consumed, report.measured_s), json_latency(t.confirm_latency), json_latency(t.deliver_latency),
      json_latency(t.lateness), report.published, report.confirmed, report.consumed, report.left_in_queues,
      json_faults(report), json_usage(report.generator), json_usage(report.broker),
      fmt::join(series_of(options, report), ", "));
}

}  // namespace weir::cli
