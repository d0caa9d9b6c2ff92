// What it is: one shard's directory looked at as a start would, without changing anything: every file, what of it does not
// hold its checksum, and which messages that concerns. Blocking; no server runs on the directory.
// Errors: io_error. What is damaged is no error: it is in the report.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/ids.h"
#include "runtime/disk.h"
#include "storage/message_census.h"
#include "storage/record_check.h"

namespace weir::storage {

enum class FileKind : std::uint8_t {
  superblock,
  snapshot,
  checkpoint,
  log,        // of the window
  segment,    // that the checkpoint names
  listing,    // of a segment
  spare,      // to be used again
  temporary,  // was being made when the process died
  orphan,     // nothing names it
  set_aside,  // in lost+found
  other,      // not the broker's
};
std::string_view to_string(FileKind kind);

struct VerifiedFile {
  std::string name;  // below the shard's directory
  FileKind kind{};
  std::uint64_t bytes = 0;
  bool whole = true;
  std::string note;
  RecordCounts counts;
};

// Messages of a queue, one after the other.
struct ConcernedMessages {
  QueueId queue;
  Seq first;
  std::uint64_t count = 0;
};

enum class Severity : std::uint8_t {
  harmless,  // the next start makes it good from another copy, or nothing that is needed was there
  loss,      // a start goes on without what is lost
  refuses,   // a start is refused until `weir store repair`
};
std::string_view to_string(Severity severity);

struct Finding {
  std::string file;
  std::uint64_t offset = 0, bytes = 0;
  std::string what;
  Severity severity = Severity::loss;
  std::vector<ConcernedMessages> messages;  // still needed ones; empty: none, or it can't be known
};

struct ShardReport {
  std::vector<VerifiedFile> files;
  std::vector<Finding> findings;
  RecordCounts counts;  // of the window
  std::map<QueueId, MessageCensus::Count> queues;
  Lsn start, end;
  bool clean = false;            // the last run ended in order
  std::uint64_t torn_bytes = 0;  // never confirmed: the next start cuts them off
};

struct VerifyOptions {
  bool deep = false;         // read the files too that no start reads: spares, orphans, lost+found
  bool definitions = false;  // shard 0: they are in its journal
  // Bytes of files that are looked at now; may be empty.
  std::function<void(std::uint64_t bytes)> progress;
  // Contents of the snapshot, then of the records behind it; may be empty.
  std::function<void(Bytes changes)> on_definitions;
};

Result<ShardReport> verify_shard(runtime::Disk& disk, const std::string& directory,
                                 const VerifyOptions& options);

}  // namespace weir::storage
