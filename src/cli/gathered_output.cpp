#include "cli/gathered_output.h"

#include <algorithm>
#include <span>

namespace weir::cli {

void GatheredOutput::flush(runtime::ByteStream& stream) {
  if (stalled_) return;
  while (true) {
    if (pieces_.empty()) {
      if (own_.empty()) return;
      leaving_.swap(own_);
      own_.clear();
      pieces_.push_back(leaving_);
    }
    const auto batch = std::span<const Bytes>(pieces_).subspan(piece_).first(
        std::min(pieces_.size() - piece_, runtime::write_pieces_max));
    std::size_t offered = 0;
    for (const Bytes piece : batch) offered += piece.size();
    Result<std::size_t> taken = stream.write(batch);
    if (!taken) return;  // on_closed follows
    std::size_t left = *taken;
    while (piece_ < pieces_.size() && left >= pieces_[piece_].size()) left -= pieces_[piece_++].size();
    if (piece_ == pieces_.size()) {
      pieces_.clear();
      piece_ = 0;
      continue;
    }
    pieces_[piece_] = pieces_[piece_].subspan(left);
    if (*taken == offered) continue;
    stalled_ = true;
    return;
  }
}

}  // namespace weir::cli
