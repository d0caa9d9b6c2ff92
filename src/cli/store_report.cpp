#include "cli/store_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace weir::cli {
namespace {

using storage::ShardReport;

constexpr std::array<std::string_view, storage::record_types> record_names = {
    "", "messages", "settlements", "returns", "definitions", "marks", "departures", "remembered ids"};

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

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

std::string counts_as_text(const storage::RecordCounts& counts) {
  std::vector<std::string> parts;
  for (std::size_t type = 1; type < record_names.size(); ++type) {
    if (counts.records[type] > 0)
      parts.push_back(fmt::format("{} {}", counts.records[type], record_names[type]));
  }
  return parts.empty() ? "no records" : join(parts, ", ");
}

std::string counts_as_json(const storage::RecordCounts& counts) {
  std::vector<std::string> parts{fmt::format(R"("batches": {})", counts.batches)};
  for (std::size_t type = 1; type < record_names.size(); ++type)
    parts.push_back(fmt::format(R"("{}": {})", record_names[type], counts.records[type]));
  return "{" + join(parts, ", ") + "}";
}

std::string concerned_as_text(const storage::ConcernedMessages& messages, const StoreNames& names) {
  return messages.count == 1
             ? fmt::format("message {} of {}", messages.first.value, names.of(messages.queue))
             : fmt::format("messages {} to {} of {}", messages.first.value,
                           messages.first.value + messages.count - 1, names.of(messages.queue));
}

std::string queue_as_json(QueueId queue, const StoreNames& names) {
  const broker::QueueDefinition* const definition = names.find(queue);
  return definition == nullptr ? fmt::format(R"("queue": {})", queue.value)
                               : fmt::format(R"("queue": {}, "vhost": {}, "name": {})", queue.value,
                                             json_text(definition->vhost), json_text(definition->name));
}

void append_shard(std::string& out, std::size_t number, const ShardReport& shard, const StoreNames& names) {
  const auto append = [&out]<typename... Args>(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  };
  append("shard {}: the log from {} to {}{}\n", number, shard.start.value, shard.end.value,
         shard.clean ? "" : ", the last run did not end in order");
  for (const storage::VerifiedFile& file : shard.files) {
    append("  {:<28} {:<10} {:>12} bytes  {}", file.name, storage::to_string(file.kind), file.bytes,
           file.whole ? "whole" : "DAMAGED");
    if (file.counts.batches > 0) append(", {}", counts_as_text(file.counts));
    append("{}{}\n", file.note.empty() ? "" : ", ", file.note);
  }
  append("  in the log: {} batches, {}\n", shard.counts.batches, counts_as_text(shard.counts));
  if (shard.torn_bytes > 0)
    append("  {} bytes behind its end were never confirmed: the next start cuts them off\n",
           shard.torn_bytes);
  for (const StoreQueue& queue : queues_of(shard, names)) {
    append("  {}: {} messages", names.of(queue.id), queue.messages);
    if (queue.lost > 0) append(", {} more are LOST", queue.lost);
    append("\n");
  }
}

void append_finding(std::string& out, std::size_t number, const storage::Finding& finding,
                    const StoreNames& names) {
  fmt::format_to(std::back_inserter(out), "damage ({}): shard-{:02}/{}, {} bytes at {}: {}\n",
                 storage::to_string(finding.severity), number, finding.file, finding.bytes, finding.offset,
                 finding.what);
  for (const storage::ConcernedMessages& messages : finding.messages)
    fmt::format_to(std::back_inserter(out), "  {}\n", concerned_as_text(messages, names));
}

std::string finding_as_json(const storage::Finding& finding, const StoreNames& names) {
  std::vector<std::string> messages;
  for (const storage::ConcernedMessages& concerned : finding.messages)
    messages.push_back(fmt::format(R"({{{}, "first": {}, "count": {}}})",
                                   queue_as_json(concerned.queue, names), concerned.first.value,
                                   concerned.count));
  return fmt::format(
      R"({{"file": {}, "offset": {}, "bytes": {}, "what": {}, "severity": {}, "messages": [{}]}})",
      json_text(finding.file), finding.offset, finding.bytes, json_text(finding.what),
      json_text(storage::to_string(finding.severity)), join(messages, ", "));
}

std::string shard_as_json(const ShardReport& shard, const StoreNames& names) {
  std::vector<std::string> files;
  for (const storage::VerifiedFile& file : shard.files)
    files.push_back(
        fmt::format(R"({{"name": {}, "kind": {}, "bytes": {}, "whole": {}, "note": {}, "records": {}}})",
                    json_text(file.name), json_text(storage::to_string(file.kind)), file.bytes, file.whole,
                    json_text(file.note), counts_as_json(file.counts)));
  std::vector<std::string> findings;
  for (const storage::Finding& finding : shard.findings) findings.push_back(finding_as_json(finding, names));
  std::vector<std::string> queues;
  for (const StoreQueue& queue : queues_of(shard, names))
    queues.push_back(fmt::format(R"({{{}, "messages": {}, "lost": {}}})", queue_as_json(queue.id, names),
                                 queue.messages, queue.lost));
  return fmt::format(
      R"({{"start": {}, "end": {}, "clean": {}, "torn_bytes": {}, "records": {}, "files": [{}], )"
      R"("findings": [{}], "queues": [{}]}})",
      shard.start.value, shard.end.value, shard.clean, shard.torn_bytes, counts_as_json(shard.counts),
      join(files, ", "), join(findings, ", "), join(queues, ", "));
}

}  // namespace

std::vector<StoreQueue> queues_of(const ShardReport& report, const StoreNames& names) {
  std::vector<StoreQueue> queues;
  for (const auto& [queue, count] : report.queues) {
    const bool empty = count.messages == 0 && queue == bodies_queue;  // every shard has it, whoever uses it
    if (names.knows(queue) && !empty) queues.push_back({queue, count.messages - count.lost, count.lost});
  }
  return queues;
}

bool StoreReport::whole(const StoreNames& names) const {
  if (!identity_damage.empty() || names.unreadable() > 0) return false;
  return std::all_of(shards.begin(), shards.end(), [&](const ShardReport& shard) {
    const auto queues = queues_of(shard, names);
    return shard.findings.empty() &&
           std::all_of(queues.begin(), queues.end(), [](const StoreQueue& queue) { return queue.lost == 0; });
  });
}

std::string report_as_text(const StoreReport& report, const StoreNames& names) {
  std::string out = fmt::format("{}: {} shards, node {}\n", report.directory, report.shards.size(),
                                report.identity.node_id.empty() ? "unknown" : report.identity.node_id);
  for (std::size_t i = 0; i < report.shards.size(); ++i) append_shard(out, i, report.shards[i], names);
  if (!report.identity_damage.empty())
    fmt::format_to(std::back_inserter(out), "damage (refuses to start): {}\n", report.identity_damage);
  if (names.unreadable() > 0)
    fmt::format_to(std::back_inserter(out), "damage: {} records of definitions can't be read\n",
                   names.unreadable());
  for (std::size_t i = 0; i < report.shards.size(); ++i) {
    for (const storage::Finding& finding : report.shards[i].findings) append_finding(out, i, finding, names);
  }
  for (const ShardReport& shard : report.shards) {
    for (const StoreQueue& queue : queues_of(shard, names)) {
      if (queue.lost > 0)
        fmt::format_to(std::back_inserter(out), "lost: {} messages of {}\n", queue.lost, names.of(queue.id));
    }
  }
  out += report.whole(names) ? "whole: everything holds its checksums\n"
                             : "damaged: see docs/operations.md, \"When damage is reported\"\n";
  return out;
}

std::string report_as_json(const StoreReport& report, const StoreNames& names) {
  std::vector<std::string> shards;
  for (const ShardReport& shard : report.shards) shards.push_back(shard_as_json(shard, names));
  return fmt::format(
      R"({{"directory": {}, "node_id": {}, "identity_damage": {}, "unreadable_definitions": {}, )"
      R"("whole": {}, "shards": [{}]}})"
      "\n",
      json_text(report.directory), json_text(report.identity.node_id), json_text(report.identity_damage),
      names.unreadable(), report.whole(names), join(shards, ", "));
}

}  // namespace weir::cli
