// A whole log file of any bytes: recovery ends, does the same twice, and the log goes on behind it.
// The first byte of the input: bit 0 puts right checksums and positions into what begins like a batch; bit 1 says in the
// superblock that the last run ended in order, bit 2 that half of the file was durable, bit 3 that a second incarnation began
// there.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/log.h"
#include "runtime/sim/sim_disk.h"
#include "storage/journal.h"
#include "storage/superblock.h"

namespace {

using namespace weir;
using namespace weir::storage;

constexpr std::uint64_t identity = 0x1234'5678'9abc'def0;
constexpr std::uint64_t file_bytes = 64U << 10;
constexpr const char* directory = "d";

void check(bool holds) {
  if (!holds) std::abort();
}

class Witness final : public ReplayVisitor, public JournalEvents {
 public:
  void on_record(const Record& record, Location location, Lsn lsn) override {
    check(location.bytes() >= record_header_bytes + record.extension.size() + record.payload.size());
    check(seen.empty() || lsn.value > last.value);
    last = lsn;
    seen.push_back(static_cast<char>(record.type));
    seen.append(reinterpret_cast<const char*>(&record.seq.value), sizeof record.seq.value);
    seen.append(as_text(record.payload));
  }
  void on_damage(Lsn from, Lsn to, std::uint64_t) override { check(from < to); }
  void on_messages(QueueId, const CheckpointRun&) override {}
  void on_queue(QueueId, Seq) override {}
  void on_listed(const ListedMessage&, Location) override {}
  void on_durable(Lsn) override {}
  void on_journal_failed(const Error&) override { std::abort(); }
  bool on_moved(QueueId, Seq, Location, Location) override { return false; }

  std::string seen;
  Lsn last;
};

std::unique_ptr<Journal> recover(runtime::Disk& disk, Witness& witness) {
  static const ManualClock clock;
  JournalOptions options;
  options.clock = &clock;
  options.directory = directory;
  options.first_file_bytes = options.file_bytes_max = file_bytes;
  options.random_seed = identity;
  auto journal = Journal::open(disk, options, witness, witness);
  return journal ? std::move(*journal) : nullptr;
}

void put_checksums(std::vector<std::byte>& file, std::uint32_t salt) {
  for (std::size_t at = 0; at + batch_alignment <= file.size(); at += batch_alignment) {
    std::byte* block = file.data() + at;
    if (load_le<std::uint32_t>(block) != batch_magic) continue;
    store_le(block + 8, std::uint64_t{at});
    const std::uint32_t incarnation = load_le<std::uint32_t>(block + 32) % 2;  // none from the future
    store_le(block + 32, incarnation);
    store_le(block + 60, crc32c(Bytes(block, 60), incarnation ^ salt));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  mute_log();
  const unsigned flags = data[0];
  Superblock superblock;
  superblock.identity = identity;
  superblock.incarnation = 1;
  superblock.clean = (flags & 2U) != 0;
  if ((flags & 4U) != 0) superblock.durable = Lsn{file_bytes / 2};
  if ((flags & 8U) != 0) superblock.begin_incarnation(superblock.durable);
  std::vector<std::byte> file(file_bytes);
  for (std::size_t i = 1; i < size && i <= file.size(); ++i) file[i - 1] = static_cast<std::byte>(data[i]);
  if ((flags & 1U) != 0) put_checksums(file, superblock.salt());

  runtime::SimStorage storage(1);
  auto disk = storage.open_disk();
  check(disk->make_directories(directory).has_value());
  check(store_superblock_now(*disk, directory, superblock).has_value());
  check(disk->write_file_now(std::string(directory) + "/j-0000000000000000.log", file).has_value());

  Witness first;
  check(recover(*disk, first) != nullptr);
  Witness second;
  const std::unique_ptr<Journal> journal = recover(*disk, second);
  check(journal != nullptr && second.seen == first.seen);
  const Journal::Space space =
      journal->append(RecordType::settle, 0, QueueId{1}, Seq{7}, 0, 4, Journal::Urgency::wait);
  std::fill(space.bytes.begin(), space.bytes.end(), std::byte{'!'});
  journal->finish();
  check(journal->close_clean().has_value());
  Witness third;
  check(recover(*disk, third) != nullptr && third.seen.starts_with(first.seen) &&
        third.seen.ends_with("!!!!"));
  return 0;
}
