// Checkpoints and listings.
#include <cstdlib>
#include <vector>

#include "base/crc32c.h"
#include "storage/checkpoint.h"
#include "storage/listing.h"

namespace {

using namespace weir;
using namespace weir::storage;

void check(bool holds) {
  if (!holds) std::abort();
}

void read_checkpoint(Bytes file) {
  auto reader = CheckpointReader::open(file);
  if (!reader) return;
  QueueId queue;
  Seq next;
  while (reader->next_queue(queue, next)) {
    std::uint64_t at = 0;
    for (CheckpointRun run; reader->next_run(run);) {
      check(run.first.value >= at && run.first.value + run.count <= next.value);
      at = run.first.value + run.count;
    }
  }
}

void read_listing(Bytes file) {
  const Lsn start{file.size() >= 16 ? load_le<std::uint64_t>(file.data() + 8) : 0};
  auto reader = ListingReader::open(file, start);
  if (!reader) return;
  ListingBuilder builder;
  std::vector<ListedMessage> messages;
  for (ListedMessage message; reader->next(message);) {
    messages.push_back(message);
    builder.add(message);
  }
  const std::vector<std::byte> again = builder.finish(start);
  auto second = ListingReader::open(again, start);
  check(second.has_value());
  std::size_t count = 0;
  for (ListedMessage message; second->next(message); ++count) {
    check(count < messages.size() && message.queue == messages[count].queue &&
          message.seq == messages[count].seq);
  }
  check(count == messages.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> file(size);
  for (std::size_t i = 0; i < size; ++i) file[i] = static_cast<std::byte>(data[i]);
  read_checkpoint(file);
  read_listing(file);
  if (size < 4) return 0;
  store_le(file.data() + size - 4, crc32c(Bytes(file).first(size - 4)));
  read_checkpoint(file);
  read_listing(file);
  return 0;
}
