#include "storage/checkpoint.h"

#include <utility>

#include "base/assert.h"
#include "base/crc32c.h"

namespace weir::storage {
namespace {

constexpr std::uint32_t checkpoint_magic = 0x31434a57;  // "WJC1" as little-endian bytes
constexpr std::uint16_t checkpoint_version = 1;
constexpr std::size_t segment_bytes = 16;
constexpr std::size_t crc_bytes = 4;
constexpr unsigned redelivered_bit = 1;
constexpr unsigned deliveries_bit = 2;
constexpr std::uint64_t seq_limit = std::uint64_t{1} << 61;

}  // namespace

void CheckpointBuilder::begin_queue(QueueId queue, Seq next) {
  end_queue();
  in_queue_ = true;
  queue_ = queue;
  next_ = next;
  last_end_ = Seq{0};
}

void CheckpointBuilder::add(Seq seq, bool redelivered, std::uint32_t deliveries, std::uint64_t count) {
  WEIR_ASSERT(in_queue_ && seq.value + count <= next_.value);
  if (run_.count > 0 && seq.value == run_.first.value + run_.count && redelivered == run_.redelivered &&
      deliveries == run_.deliveries) {
    run_.count += count;
    return;
  }
  end_run();
  run_ = {seq, count, redelivered, deliveries};
}

void CheckpointBuilder::end_run() {
  if (run_.count == 0) return;
  Writer out(runs_);
  out.varint(run_.first.value - last_end_.value);
  out.varint(run_.count << 2 | (run_.deliveries > 0 ? deliveries_bit : 0U) |
             (run_.redelivered ? redelivered_bit : 0U));
  if (run_.deliveries > 0) out.varint(run_.deliveries);
  last_end_ = Seq{run_.first.value + run_.count};
  ++run_count_;
  run_ = {};
}

void CheckpointBuilder::end_queue() {
  if (!in_queue_) return;
  end_run();
  Writer out(out_);
  out.le(queue_.value);
  out.varint(next_.value);
  out.varint(run_count_);
  out.bytes(runs_);
  runs_.clear();
  run_count_ = 0;
  ++queues_;
  in_queue_ = false;
}

std::vector<std::byte> CheckpointBuilder::finish(const CheckpointHeader& header) {
  end_queue();
  std::vector<std::byte> file;
  Writer out(file);
  out.le(checkpoint_magic);
  out.le(checkpoint_version);
  out.le(std::uint16_t{0});
  out.le(header.generation);
  out.le(header.from.value);
  out.le(header.to.value);
  out.le(static_cast<std::uint32_t>(header.segments.size()));
  out.le(std::exchange(queues_, 0U));
  for (const SegmentName& segment : header.segments) {
    out.le(segment.start.value);
    out.le(segment.bytes);
  }
  out.bytes(std::exchange(out_, {}));
  out.le(crc32c(file));
  return file;
}

Result<CheckpointReader> CheckpointReader::open(Bytes file) {
  if (file.size() < crc_bytes) return fail(ErrorCode::corrupt, "not a checkpoint");
  const Bytes covered = file.first(file.size() - crc_bytes);
  CheckpointReader reader(covered);
  Reader& in = reader.in_;
  const auto magic = in.le<std::uint32_t>();
  const auto version = in.le<std::uint16_t>();
  in.le<std::uint16_t>();
  reader.header_.generation = in.le<std::uint64_t>();
  reader.header_.from = Lsn{in.le<std::uint64_t>()};
  reader.header_.to = Lsn{in.le<std::uint64_t>()};
  const auto segments = in.le<std::uint32_t>();
  reader.queues_left_ = in.le<std::uint32_t>();
  if (!in.ok() || magic != checkpoint_magic) return fail(ErrorCode::corrupt, "not a checkpoint");
  if (load_le<std::uint32_t>(covered.data() + covered.size()) != crc32c(covered))
    return fail(ErrorCode::corrupt, "checkpoint CRC");
  if (version != checkpoint_version) return fail(ErrorCode::corrupt, "checkpoint version");
  if (segments > in.left() / segment_bytes) return fail(ErrorCode::corrupt, "checkpoint has another size");
  for (std::uint32_t i = 0; i < segments; ++i) {
    const Lsn start{in.le<std::uint64_t>()};
    reader.header_.segments.push_back({start, in.le<std::uint64_t>()});
  }
  return reader;
}

bool CheckpointReader::next_queue(QueueId& queue, Seq& next) {
  CheckpointRun run;
  while (next_run(run)) {
  }
  if (queues_left_ == 0 || !in_.ok()) return false;
  --queues_left_;
  queue = QueueId{in_.le<std::uint32_t>()};
  next = Seq{in_.varint()};
  runs_left_ = in_.varint();
  at_ = 0;
  next_ = next.value;
  return in_.ok() && next_ < seq_limit;
}

bool CheckpointReader::next_run(CheckpointRun& run) {
  if (runs_left_ == 0 || !in_.ok()) return false;
  --runs_left_;
  const std::uint64_t gap = in_.varint();
  const std::uint64_t head = in_.varint();
  run.deliveries = (head & deliveries_bit) != 0 ? static_cast<std::uint32_t>(in_.varint() & UINT32_MAX) : 0U;
  run.redelivered = (head & redelivered_bit) != 0;
  run.count = head >> 2;
  if (!in_.ok() || gap > next_ - at_ || run.count > next_ - at_ - gap) {
    in_ = Reader(Bytes{});
    in_.u8();  // not ok any more
    return false;
  }
  run.first = Seq{at_ + gap};
  at_ = run.first.value + run.count;
  return true;
}

std::string checkpoint_path(const std::string& directory, int copy) {
  return directory + (copy == 0 ? "/checkpoint.A" : "/checkpoint.B");
}

}  // namespace weir::storage
