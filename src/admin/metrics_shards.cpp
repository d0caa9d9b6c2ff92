// Families of our own: latencies, and what each shard and its journal do.
#include <string>

#include "admin/metrics_families.h"

namespace weir::admin {
namespace {

using node::ShardRow;

constexpr std::string_view own = "weir_";
constexpr double us_per_second = 1e6, ms_per_second = 1e3, ns_per_second = 1e9;

struct ShardFamily {
  std::string_view name, type, help;
  MetricValue (*value)(const ShardRow& shard);
};

constexpr ShardFamily shard_families[] = {
    {"shard_cpu_seconds_total", "counter", "Processor time of the shard's thread",
     [](const ShardRow& shard) -> MetricValue { return static_cast<double>(shard.cpu_ns) / ns_per_second; }},
    {"shard_queues", "gauge", "Queues that live on the shard",
     [](const ShardRow& shard) -> MetricValue { return shard.queues; }},
    {"shard_connections", "gauge", "Connections that live on the shard",
     [](const ShardRow& shard) -> MetricValue { return shard.sessions; }},
    {"shard_publishing_open", "gauge", "1: publishers need not wait for this shard",
     [](const ShardRow& shard) -> MetricValue { return std::uint64_t{shard.publishing_open}; }},
    {"journal_pending_bytes", "gauge", "Bytes that are not synced yet",
     [](const ShardRow& shard) -> MetricValue { return shard.journal_pending_bytes; }},
    {"journal_commits_total", "counter", "Commits: one write and one sync each",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.commits; }},
    {"journal_records_total", "counter", "Records committed",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.records; }},
    {"journal_written_bytes_total", "counter", "Bytes written by commits",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.bytes_written; }},
    {"journal_padding_bytes_total", "counter", "Of them, what fills up blocks",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.padding_bytes; }},
    {"journal_files", "gauge", "Files of the log",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.files; }},
    {"journal_log_bytes", "gauge", "Length of the log",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.log_bytes; }},
    {"journal_segments", "gauge", "Files that the log has left behind",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.segments; }},
    {"journal_segment_bytes", "gauge", "Bytes of those files",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.segment_bytes; }},
    {"journal_cache_bytes", "gauge", "Bytes of the log that are in memory",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.cache_bytes; }},
    {"journal_cache_hits_total", "counter", "Messages that were found there",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.cache_hits; }},
    {"journal_cache_misses_total", "counter", "Messages that were not",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.cache_misses; }},
    {"journal_reads_total", "counter", "Reads from the disk",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.reads; }},
    {"journal_read_bytes_total", "counter", "Bytes read from the disk",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.read_bytes; }},
    {"journal_checkpoints_total", "counter", "Checkpoints",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.checkpoints; }},
    {"journal_clean_passes_total", "counter", "Passes of the cleaner",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.clean_passes; }},
    {"journal_clean_moved_bytes_total", "counter", "Bytes that the cleaner has copied",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.clean_moved_bytes; }},
    {"journal_scrubbed_bytes_total", "counter", "Bytes whose checksums were checked in the background",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.scrubbed_bytes; }},
    {"journal_scrub_findings_total", "counter", "Of them, what did not hold",
     [](const ShardRow& shard) -> MetricValue { return shard.journal.scrub_findings; }},
    {"messages_settled_total", "counter", "Messages that were settled for good",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.settled; }},
    {"messages_requeued_total", "counter", "Messages that came back to their queue",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.requeued; }},
    {"messages_rejected_total", "counter", "Messages that a full queue or a full disk refused",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.rejected; }},
    {"messages_expired_total", "counter", "Messages that outlived their time",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.expired; }},
    {"messages_dropped_total", "counter", "Messages that went for a limit of their queue",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.dropped; }},
    {"messages_duplicate_total", "counter", "Messages that a queue had seen before",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.duplicates; }},
    {"messages_superseded_total", "counter", "Messages that newer ones of their key replaced",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.superseded; }},
    {"messages_browsed_total", "counter", "Messages shown to those who only look",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.browsed; }},
    {"messages_damaged_total", "counter", "Messages that can't be read back",
     [](const ShardRow& shard) -> MetricValue { return shard.messages.damaged; }},
    {"dead_letters_waiting", "gauge", "Messages on their way to dead-letter exchanges",
     [](const ShardRow& shard) -> MetricValue { return shard.letters_waiting; }},
};

}  // namespace

void write_shard_families(MetricsWriter& writer, std::string_view, const NodeSums& sums) {
  const std::vector<ShardRow>& shards = sums.values->rows.shards;
  std::vector<std::string> labels;
  for (const ShardRow& shard : shards)
    labels.push_back(metric_labels({{"shard", std::to_string(shard.shard.value)}}));
  for (const ShardFamily& family : shard_families) {
    writer.family(own, family.name, family.type, family.help);
    for (std::size_t i = 0; i < shards.size(); ++i) writer.line(labels[i], family.value(shards[i]));
  }
  writer.family(own, "process_cpu_seconds_total", "counter", "Processor time of the process");
  writer.line("", static_cast<double>(sums.values->node.process.cpu_ns) / ns_per_second);
  writer.family(own, "process_threads", "gauge", "Threads of the process");
  writer.line("", sums.values->node.process.threads);
  writer.family(own, "transient_message_bytes", "gauge", "Bytes of messages that are in memory alone");
  writer.line("", shards.empty() ? std::uint64_t{0} : shards[0].transient_bytes);
}

void write_latency_families(MetricsWriter& writer, std::string_view, const NodeSums& sums) {
  constexpr std::size_t first_us = 5, last_us = 26;         // 32 us to 67 s
  constexpr std::size_t first_ms = 0, last_ms = 27;         // 1 ms to 37 h
  constexpr std::size_t first_bytes = 12, last_bytes = 26;  // 4 KiB to 64 MiB
  writer.family(own, "publish_confirm_seconds", "histogram",
                "From publishing to the confirm, of one message of a publisher at a time");
  writer.histogram("", sums.traffic.confirm_us, us_per_second, first_us, last_us);
  writer.family(own, "publish_deliver_seconds", "histogram",
                "From receiving to delivering, of one message of a queue in each turn");
  writer.histogram("", sums.traffic.deliver_ms, ms_per_second, first_ms, last_ms);
  writer.family(own, "journal_commit_seconds", "histogram",
                "From giving a commit to the disk until it is synced");
  writer.histogram("", sums.journal.commit_us, us_per_second, first_us, last_us);
  writer.family(own, "journal_commit_bytes", "histogram", "Size of commits");
  writer.histogram("", sums.journal.commit_bytes, 1, first_bytes, last_bytes);
}

}  // namespace weir::admin
