// What it is: one pass over a log from its start to its end, wherever that is (docs/formats/journal.md, "Recovery").
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "storage/journal.h"
#include "storage/log_files.h"
#include "storage/log_reader.h"
#include "storage/salvage.h"

namespace weir::storage {

class LogScan {
 public:
  LogScan(runtime::Disk& disk, const std::vector<LogFile>& files, const Superblock& superblock,
          ReplayVisitor& visitor, RecoveryReport& report);

  // Replays all; returns the log's end: where its next batch goes.
  Result<Lsn> run();
  // All below it was known to be durable before this recovery.
  Lsn known_durable() const { return known_durable_; }

 private:
  Superblock::Range incarnations_at(Lsn at) const;
  Lsn after(std::size_t file, const BatchHeader& header) const;
  Status step(std::size_t file);
  Status look_ahead(std::size_t file);
  Result<Lsn> next_header(std::size_t file);
  Status pass_damage(std::size_t file, LogReader::Found found);
  void pass_gap(std::size_t next_file);
  void replay(std::size_t file, const LogReader::Found& found);
  void hand_on(std::size_t file, std::uint64_t offset, Bytes bytes, const Salvage& salvage);
  void emit(std::size_t file, std::uint64_t offset, const Record& record, std::size_t span);
  // `definitions`: some of them may have been lost in it.
  void damaged(Lsn to, std::uint64_t records_lost, bool definitions);
  bool tell_lost(const BatchHeader& header, Bytes batch, const Salvage& salvage) const;

  const std::vector<LogFile>& files_;
  const Superblock& superblock_;
  ReplayVisitor& visitor_;
  RecoveryReport& report_;
  LogReader reader_;
  Lsn at_;
  Lsn known_durable_;
  Lsn seen_end_;                        // of the last header beyond the log's end: what is cut off
  std::uint32_t incarnation_last_ = 0;  // of the last batch replayed
  bool ended_ = false;
};

}  // namespace weir::storage
