// What it is: what of a file's messages was needed when the log left it behind, and where they are: so that a start need
// not read the file. Pure functions over bytes (docs/formats/checkpoint.md). A listing is never changed: what was settled
// later, the checkpoint tells.
//
//   0 u32 magic "WJL1"   4 u16 version   6 u16 zero
//   8 u64 start of the file   16 u64 messages   24 u64 bytes of what follows, without the checksum
//  32 messages:
//     u8 flags: 1 another queue, 2 seq does not follow, 4 place does not follow, 8 another length, 16 attributes
//     1: u32 queue, and seq and place begin at 0 again   2: varint seq - expected
//     4: varint zigzag((offset - expected) / 16)   8: varint bytes / 16   16: u8 count, attributes
//     u32 crc32c of all bytes before it
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/ids.h"
#include "storage/location.h"

namespace weir::storage {

struct ListedMessage {
  QueueId queue;
  Seq seq;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t bytes = 0;   // of the record
  Bytes attributes{};        // at most 255 bytes, of no meaning here
};

class ListingBuilder {
 public:
  void add(const ListedMessage& message);
  std::uint64_t messages() const { return messages_; }
  // The bytes of the listing's file. The builder is empty then.
  std::vector<std::byte> finish(Lsn file_start);

 private:
  void begin();

  std::vector<std::byte> out_;
  std::uint64_t messages_ = 0;
  ListedMessage expected_;
};

class ListingReader {
 public:
  // corrupt: not a listing of this file, or its checksum does not hold. Views `file`.
  static Result<ListingReader> open(Bytes file, Lsn file_start);
  // False at the end.
  bool next(ListedMessage& message);

 private:
  ListingReader(Bytes messages, std::uint64_t count) : in_(messages), left_(count) {}

  Reader in_;
  std::uint64_t left_;
  ListedMessage expected_;
};

std::string listing_path(const std::string& directory, Lsn file_start);

}  // namespace weir::storage
