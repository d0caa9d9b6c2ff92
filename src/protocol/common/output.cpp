#include "protocol/common/output.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace weir {

namespace {
// Pieces that a connection keeps room for while it is idle.
constexpr std::size_t pieces_kept_max = 64;
}  // namespace

ChunkRef OutputBlocks::take() {
  if (free_.empty()) return ChunkRef::adopt(Chunk::make(output_block_bytes));
  ChunkRef block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void OutputBlocks::give_back(ChunkRef block) {
  if (block->capacity() == output_block_bytes && free_.size() < free_max) free_.push_back(std::move(block));
}

std::byte* Output::reserve_in_new_block(std::size_t bytes) {
  // The pieces keep the old block. One that has none goes back.
  if (block_ && block_->unique()) blocks_.give_back(std::move(block_));
  block_ = bytes <= output_block_bytes ? blocks_.take() : ChunkRef::adopt(Chunk::make(bytes));
  used_ = 0;
  return block_->data();
}

void Output::commit(std::size_t bytes) {
  std::byte* const from = block_->data() + used_;
  if (!behind_.empty()) [[unlikely]] {
    used_ += bytes;
    return add({block_, from, bytes, true});
  }
  Piece* const last = pieces_.size() > first_ ? &pieces_.back() : nullptr;
  if (last != nullptr && last->data + last->size == from && last->chunk.get() == block_.get()) {
    last->size += bytes;
  } else {
    pieces_.push_back({block_, from, bytes, true});
  }
  used_ += bytes;
  unsent_bytes_ += bytes;
}

void Output::refer(ChunkRef chunk, Bytes bytes) {
  add({std::move(chunk), bytes.data(), bytes.size(), false});
}

void Output::add(Piece piece) {
  unsent_bytes_ += piece.size;
  if (behind_.empty()) return pieces_.push_back(std::move(piece));
  Segment& last = behind_.back();
  last.bytes += piece.size;
  behind_bytes_ += piece.size;
  last.pieces.push_back(std::move(piece));
}

void Output::fill(ChunkRef chunk, Bytes bytes) {
  unsent_bytes_ += bytes.size();
  pieces_.push_back({std::move(chunk), bytes.data(), bytes.size(), false});
}

void Output::close_gap() {
  Segment& next = behind_.front();
  behind_bytes_ -= next.bytes;
  pieces_.insert(pieces_.end(), std::make_move_iterator(next.pieces.begin()),
                 std::make_move_iterator(next.pieces.end()));
  behind_.pop_front();
}

void Output::drop_behind_gaps() {
  behind_.for_each([&](Segment& segment) {
    for (Piece& piece : segment.pieces) release(piece);
  });
  behind_.clear();
  unsent_bytes_ -= behind_bytes_;
  behind_bytes_ = 0;
}

Result<bool> Output::flush(runtime::ByteStream& stream) {
  std::array<Bytes, runtime::write_pieces_max> gathered;
  while (sendable_bytes() > 0) {
    const std::size_t count = std::min(pieces_.size() - first_, gathered.size());
    std::size_t offered = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Piece& piece = pieces_[first_ + i];
      gathered[i] = {piece.data, piece.size};
      offered += piece.size;
    }
    const auto taken = stream.write({gathered.data(), count});
    if (!taken) return std::unexpected(taken.error());
    take_off(*taken);
    if (*taken < offered) return false;
  }
  if (behind_.empty()) clear();
  return true;
}

void Output::take_off(std::size_t bytes) {
  unsent_bytes_ -= bytes;
  sent_bytes_ += bytes;
  while (bytes > 0) {
    Piece& piece = pieces_[first_];
    if (bytes < piece.size) {
      piece.data += bytes;
      piece.size -= bytes;
      break;
    }
    bytes -= piece.size;
    release(piece);
    ++first_;
  }
  // What was sent is taken off the front now and then, so that a slow reader's list does not grow for ever.
  if (first_ > pieces_kept_max && first_ * 2 > pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void Output::release(Piece& piece) {
  ChunkRef chunk = std::move(piece.chunk);
  if (piece.block && chunk.get() != block_.get() && chunk->unique()) blocks_.give_back(std::move(chunk));
}

void Output::clear() {
  drop_behind_gaps();
  for (; first_ < pieces_.size(); ++first_) release(pieces_[first_]);
  pieces_.clear();
  if (pieces_.capacity() > pieces_kept_max) pieces_.shrink_to_fit();
  first_ = 0;
  unsent_bytes_ = 0;
  if (block_) blocks_.give_back(std::move(block_));
  used_ = 0;
}

}  // namespace weir
