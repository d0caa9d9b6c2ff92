// What it is: what a client is about to write: large pieces that stay where they are until they have left, and frames of
// the client's own, which leave after them.
// Shard: its stream's.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "runtime/stream.h"

namespace weir::cli {

class GatheredOutput {
 public:
  // Everything that was queued has left: what queue() was given may change.
  bool idle() const { return pieces_.empty(); }
  void queue(Bytes bytes) { pieces_.push_back(bytes); }
  // Append here what leaves after the pieces.
  std::vector<std::byte>& own() { return own_; }

  // Writes as much as the stream takes; after less than all, only once there_is_room().
  void flush(runtime::ByteStream& stream);
  void there_is_room() { stalled_ = false; }

 private:
  std::vector<Bytes> pieces_;  // of one or more gathered writes
  std::size_t piece_ = 0;      // those before it have left
  std::vector<std::byte> own_;
  std::vector<std::byte> leaving_;  // that a piece points at
  bool stalled_ = false;            // the stream was full
};

}  // namespace weir::cli
