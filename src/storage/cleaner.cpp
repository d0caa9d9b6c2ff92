#include "storage/cleaner.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "storage/listing.h"
#include "storage/record.h"

namespace weir::storage {
namespace {

constexpr std::uint64_t retry_ns = 1'000'000'000;
constexpr std::uint64_t soon_ns = 30'000'000'000;
constexpr std::size_t victims_max = 256;
constexpr std::size_t survivors_max = 256U << 10;
constexpr std::uint64_t read_bytes_max = 1U << 20;
// Records nearer to each other than this are read at once.
constexpr std::uint64_t read_gap_max = 64U << 10;
constexpr std::size_t batch_bytes = 1U << 20;
constexpr std::size_t moves_per_turn = 16'384;

}  // namespace

Cleaner::Cleaner(runtime::Disk& disk, Options options, FileTable& table, LogFiles& files, Segments& segments,
                 JournalEvents& events, const Clock& clock)
    : disk_(disk),
      options_(std::move(options)),
      table_(table),
      files_(files),
      segments_(segments),
      events_(events),
      clock_(clock) {
  for (const auto& file : segments_.files()) {
    if (file->cleaned()) next_start_ = std::max(next_start_, Lsn{file->start.value + file_bytes_limit});
  }
}

Cleaner::~Cleaner() {
  if (made_ != nullptr) disk_.close(made_->handle);
}

// Of a file of which less than half is needed; 0 of others.
std::uint64_t Cleaner::gain(const LogFile& file) const {
  if (!file.listed || file.damaged || file.draining || file.live == 0) return 0;
  if (file.live_bytes > options_.file_bytes_max) return 0;
  const std::uint64_t needed = align_up(batch_header_bytes + file.live_bytes, batch_alignment);
  return needed <= file.bytes / 2 ? file.bytes - needed : 0;
}

// A file that consumers are emptying is left to them.
void Cleaner::survey() {
  const std::uint64_t now = clock_.monotonic_ns();
  if (now - surveyed_ns_ < options_.survey_ns) return;
  const std::uint64_t passed_ns = now - std::exchange(surveyed_ns_, now);
  std::uint64_t sum = 0;
  for (const auto& file : segments_.files()) {
    const std::uint64_t gone = file->surveyed_live - std::min(file->surveyed_live, file->live);
    const bool is_new = std::exchange(file->surveyed_live, file->live) == 0;
    file->draining = is_new || gone * (soon_ns / std::max<std::uint64_t>(passed_ns, 1)) > file->live;
    sum += gain(*file);
  }
  wanted_ = sum >= options_.gain_bytes && now >= not_before_ns_;
}

// The emptiest first, as many as fill a file.
void Cleaner::choose_victims() {
  if (!wants_pass()) return;
  wanted_ = false;
  std::vector<LogFile*> candidates;
  for (const auto& file : segments_.files()) {
    if (gain(*file) > 0) candidates.push_back(file.get());
  }
  std::sort(candidates.begin(), candidates.end(), [](const LogFile* a, const LogFile* b) {
    return std::tie(a->live_bytes, a->start) < std::tie(b->live_bytes, b->start);
  });
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < candidates.size() && i < victims_max; ++i) {
    bytes += candidates[i]->live_bytes;
    if (bytes > options_.file_bytes_max) break;
    candidates[i]->victim = true;
  }
  stage_ = Stage::collecting;
}

void Cleaner::add(QueueId queue, Seq seq, Location location, Bytes attributes) {
  if (stage_ != Stage::collecting || survivors_.size() == survivors_max) return;
  survivors_.push_back({queue,
                        seq,
                        location,
                        {},
                        static_cast<std::uint32_t>(attributes_.size()),
                        static_cast<std::uint8_t>(attributes.size())});
  attributes_.insert(attributes_.end(), attributes.begin(), attributes.end());
}

void Cleaner::walk_ended(bool whole) {
  if (stage_ != Stage::collecting) return;
  if (!whole || survivors_.empty()) return end_pass();
  lay_out();
  stage_ = Stage::reading;
}

// Where each record goes: by queue and seq, in batches as in the log, so that the same code reads both.
void Cleaner::lay_out() {
  std::sort(survivors_.begin(), survivors_.end(), [](const Survivor& a, const Survivor& b) {
    return std::tie(a.queue, a.seq) < std::tie(b.queue, b.seq);
  });
  // A record that several queues share is copied once, for the first of them.
  std::vector<std::uint32_t> order(survivors_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
    return std::tuple(survivors_[a].from.packed(), a) < std::tuple(survivors_[b].from.packed(), b);
  });
  std::vector<std::uint32_t> first_of(survivors_.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool again = i > 0 && survivors_[order[i]].from == survivors_[order[i - 1]].from;
    first_of[order[i]] = again ? first_of[order[i - 1]] : order[i];
    if (!again) by_place_.push_back(order[i]);
  }
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < survivors_.size(); ++i) {
    Survivor& survivor = survivors_[i];
    if (first_of[i] != i) {
      survivor.to = survivors_[first_of[i]].to;
      continue;
    }
    const std::size_t bytes = survivor.from.bytes();
    if (batches_.empty() || at + bytes - batches_.back().at > batch_bytes) {
      if (!batches_.empty()) {
        batches_.back().end = at;
        at = align_up(at, batch_alignment);
      }
      batches_.push_back({at, 0});
      at += batch_header_bytes;
    }
    survivor.to = Location(0, at, bytes);
    at += bytes;
  }
  batches_.back().end = at;
  out_.assign(align_up(at, batch_alignment), std::byte{0});
}

void Cleaner::tend() {
  if (stopped_ || in_disk_) return;
  if (stage_ == Stage::idle && is_on() && !segments_.empty()) survey();
  if (stage_ == Stage::moving) return move_some();
  if (stage_ != Stage::reading) return;
  const bool needed = std::any_of(segments_.files().begin(), segments_.files().end(),
                                  [](const auto& file) { return file->victim && file->live > 0; });
  if (!needed) return end_pass();  // all of it was settled meanwhile
  if (clock_.monotonic_ns() >= not_before_ns_) read_next();
}

void Cleaner::spend(std::uint64_t bytes) {
  const std::uint64_t now = clock_.monotonic_ns();
  not_before_ns_ = std::max(now, not_before_ns_) +
                   bytes * 1'000'000'000 / std::max<std::uint64_t>(options_.bytes_per_second, 1);
}

void Cleaner::read_next() {
  if (next_read_ == by_place_.size()) return write_file();
  const Location first = survivors_[by_place_[next_read_]].from;
  read_offset_ = first.offset() / batch_alignment * batch_alignment;
  std::uint64_t end = first.offset() + first.bytes();
  for (read_end_ = next_read_ + 1; read_end_ < by_place_.size(); ++read_end_) {
    const Location next = survivors_[by_place_[read_end_]].from;
    const std::uint64_t next_end = next.offset() + next.bytes();
    if (next.slot() != first.slot() || next.offset() > end + read_gap_max ||
        next_end - read_offset_ > read_bytes_max)
      break;
    end = next_end;
  }
  read_bytes_ = align_up(end, batch_alignment) - read_offset_;
  if (!buffer_ || buffer_->capacity() < read_bytes_)
    buffer_ = ChunkRef::adopt(Chunk::make(std::max<std::uint64_t>(read_bytes_, read_bytes_max)));
  reading_ = &table_.at(first.slot());
  ++reading_->reads;
  in_disk_ = true;
  spend(read_bytes_);
  disk_.read(reading_->handle, read_offset_, MutableBytes(buffer_->data(), read_bytes_), *this);
}

void Cleaner::take_read(std::int64_t result) {
  LogFile& victim = *std::exchange(reading_, nullptr);
  const bool whole = result == static_cast<std::int64_t>(read_bytes_);
  if (!whole) victim.damaged = true;
  for (std::size_t i = next_read_; whole && i < read_end_; ++i) {
    const Location from = survivors_[by_place_[i]].from;
    const Bytes record(buffer_->data() + (from.offset() - read_offset_), from.bytes());
    // Who asks for a damaged one hears of it.
    if (record_span(record) != record.size() || !decode_record(record)) victim.damaged = true;
  }
  const bool damaged = victim.damaged;
  files_.end_read(victim);
  if (damaged) return give_up("read");
  for (; next_read_ < read_end_; ++next_read_) {
    const Survivor& survivor = survivors_[by_place_[next_read_]];
    std::memcpy(out_.data() + survivor.to.offset(), buffer_->data() + (survivor.from.offset() - read_offset_),
                survivor.from.bytes());
  }
}

void Cleaner::seal_batches() {
  for (const Batch& batch : batches_) {
    BatchHeader header;
    header.lsn = Lsn{next_start_.value + batch.at};
    header.bytes = static_cast<std::uint32_t>(align_up(batch.end, batch_alignment) - batch.at);
    header.incarnation = options_.incarnation;
    RecordCrcs crcs;
    for (std::size_t at = batch.at + batch_header_bytes; at < batch.end;) {
      crcs.add(load_le<std::uint32_t>(out_.data() + at));
      at += record_span(Bytes(out_.data() + at, batch.end - at));
      ++header.records;
    }
    header.crc_records = crcs.take();
    encode_batch_header(header, out_.data() + batch.at, options_.salt);
  }
}

void Cleaner::write_file() {
  seal_batches();
  buffer_ = ChunkRef();
  stage_ = Stage::writing;
  in_disk_ = true;
  made_bytes_ = out_.size();
  spend(made_bytes_);
  disk_.write_file(cleaned_file_path(options_.directory, next_start_), std::exchange(out_, {}), *this);
}

void Cleaner::open_file() {
  const auto handle = disk_.open(cleaned_file_path(options_.directory, next_start_));
  if (!handle) return give_up("open");
  made_ = std::make_unique<LogFile>();
  made_->start = next_start_;
  made_->bytes = made_bytes_;
  made_->handle = *handle;
  made_->segment = true;
  next_start_ = Lsn{next_start_.value + file_bytes_limit};
  table_.add(*made_);
  for (Survivor& survivor : survivors_)
    survivor.to = Location(made_->slot, survivor.to.offset(), survivor.to.bytes());
  write_listing();
}

void Cleaner::write_listing() {
  ListingBuilder listing;
  for (const Survivor& survivor : survivors_)
    listing.add({survivor.queue, survivor.seq, survivor.to.offset(), survivor.to.bytes(),
                 Bytes(attributes_.data() + survivor.attributes_at, survivor.attributes_bytes)});
  stage_ = Stage::listing;
  in_disk_ = true;
  disk_.write_file(listing_path(options_.directory, made_->start), listing.finish(made_->start), *this);
}

void Cleaner::move_some() {
  const std::size_t end = std::min(moved_ + moves_per_turn, survivors_.size());
  for (; moved_ < end; ++moved_) {
    const Survivor& survivor = survivors_[moved_];
    if (!events_.on_moved(survivor.queue, survivor.seq, survivor.from, survivor.to)) continue;
    LogFile& from = table_.at(survivor.from.slot());
    const std::uint64_t bytes = survivor.from.bytes();
    ++into_->live;
    into_->live_bytes += bytes;
    --from.live;
    from.live_bytes -= bytes;
    from.moved = true;
    moved_bytes_ += bytes;
  }
  if (moved_ < survivors_.size()) return;
  std::exchange(into_, nullptr)->making = false;
  ++passes_;
  end_pass();
}

void Cleaner::give_up(const char* what) {
  log_warning("cleaner", "a pass is given up at its {}", what);
  not_before_ns_ = clock_.monotonic_ns() + retry_ns;
  if (made_ != nullptr) {
    table_.remove(*made_);
    files_.give_back(*made_);
    made_.reset();
  }
  end_pass();
}

void Cleaner::end_pass() {
  stage_ = Stage::idle;
  for (const auto& file : segments_.files()) file->victim = false;
  survivors_ = {};
  attributes_ = {};
  by_place_ = {};
  batches_ = {};
  out_ = {};
  next_read_ = read_end_ = moved_ = 0;
}

void Cleaner::on_io(std::int64_t result) {
  in_disk_ = false;
  if (stopped_) {
    if (reading_ != nullptr) --std::exchange(reading_, nullptr)->reads;
    return;
  }
  switch (stage_) {
    case Stage::reading: return take_read(result);
    case Stage::writing: return result < 0 ? give_up("file") : open_file();
    case Stage::listing:
      if (result < 0) return give_up("listing");
      made_->listed = made_->making = true;
      into_ = made_.get();
      segments_.add(std::move(made_));
      stage_ = Stage::moving;
      return;
    default: WEIR_UNREACHABLE();
  }
}

}  // namespace weir::storage
