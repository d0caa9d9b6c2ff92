#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "runtime/stream.h"

namespace weir::runtime {
namespace {

// One direction.
class Pipe {
 public:
  explicit Pipe(std::size_t capacity) : capacity_(capacity) {}

  std::size_t held() const { return bytes_.size() - head_; }
  std::size_t room() const { return capacity_ - held(); }
  void put(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::size_t take(MutableBytes into) {
    const std::size_t count = std::min(into.size(), held());
    if (count > 0) std::memcpy(into.data(), bytes_.data() + head_, count);
    head_ += count;
    if (head_ * 2 >= bytes_.size()) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return count;
  }
  void clear() {
    bytes_.clear();
    head_ = 0;
  }

 private:
  std::size_t capacity_;
  std::vector<std::byte> bytes_;
  std::size_t head_ = 0;
};

struct End {
  explicit End(std::size_t capacity) : inbound(capacity) {}

  Pipe inbound;
  StreamHandler* handler = nullptr;
  bool closed = false;  // by its own side
  bool paused = false;
  bool readable_due = false;
  bool wants_room = false;  // a write took less than all
  bool failed = false;      // a write found the peer gone
  bool told_closed = false;
  std::size_t read_budget = SIZE_MAX;
};

struct Shared {
  explicit Shared(std::size_t capacity) : ends{End(capacity), End(capacity)} {}
  std::array<End, 2> ends;
};

class MemoryStream final : public ByteStream {
 public:
  MemoryStream(std::shared_ptr<Shared> shared, std::size_t side, PeerInfo peer)
      : shared_(std::move(shared)),
        self_(shared_->ends[side]),
        other_(shared_->ends[1 - side]),
        peer_(std::move(peer)) {}
  ~MemoryStream() override { close(); }

  void open(StreamHandler& handler) override {
    WEIR_ASSERT(self_.handler == nullptr && !self_.closed);
    self_.handler = &handler;
  }

  Result<std::size_t> read(MutableBytes into) override {
    if (self_.paused) return 0;
    const std::size_t count = self_.inbound.take(into.first(std::min(into.size(), self_.read_budget)));
    if (self_.read_budget != SIZE_MAX) self_.read_budget -= count;
    if (count > 0 && self_.inbound.held() > 0) self_.readable_due = true;
    return count;
  }

  Result<std::size_t> write(std::span<const Bytes> pieces) override {
    if (self_.closed) return fail(ErrorCode::closed, "the stream is closed");
    if (other_.closed) {
      self_.failed = true;
      return fail(ErrorCode::closed, "the peer closed the stream");
    }
    std::size_t taken = 0;
    for (const Bytes piece : pieces) {
      const Bytes fits = piece.first(std::min(piece.size(), other_.inbound.room()));
      other_.inbound.put(fits);
      taken += fits.size();
      if (fits.size() < piece.size()) {
        self_.wants_room = true;
        break;
      }
    }
    if (taken > 0) other_.readable_due = true;
    return taken;
  }

  void pause_reading() override { self_.paused = true; }
  void resume_reading() override {
    self_.paused = false;
    if (self_.inbound.held() > 0) self_.readable_due = true;
  }
  void close() override {
    self_.closed = true;
    self_.handler = nullptr;
    self_.inbound.clear();
  }
  const PeerInfo& peer() const override { return peer_; }

 private:
  std::shared_ptr<Shared> shared_;
  End& self_;
  End& other_;
  PeerInfo peer_;
};

class MemoryPairOf final : public MemoryPair {
 public:
  MemoryPairOf(std::size_t capacity, PeerInfo left, PeerInfo right)
      : shared_(std::make_shared<Shared>(capacity)), peers_{std::move(left), std::move(right)} {}

  std::unique_ptr<ByteStream> take_left() override { return take(0); }
  std::unique_ptr<ByteStream> take_right() override { return take(1); }

  std::size_t pump(std::size_t bytes_max) override {
    std::size_t total = 0;
    for (;;) {
      const std::size_t ran = turn(0, bytes_max) + turn(1, bytes_max);
      if (ran == 0) return total;
      total += ran;
    }
  }

 private:
  std::unique_ptr<ByteStream> take(std::size_t side) {
    WEIR_ASSERT(!std::exchange(taken_[side], true));
    return std::make_unique<MemoryStream>(shared_, side, peers_[side]);
  }

  // One of each callback that is due. A callback may close, or destroy, either stream.
  std::size_t turn(std::size_t side, std::size_t bytes_max) {
    End& end = shared_->ends[side];
    const End& other = shared_->ends[1 - side];
    std::size_t ran = 0;
    if (end.handler != nullptr && end.readable_due && !end.paused && end.inbound.held() > 0) {
      end.readable_due = false;
      end.read_budget = bytes_max;
      ++ran;
      end.handler->on_readable();
      end.read_budget = SIZE_MAX;
    }
    if (end.handler != nullptr && end.wants_room && !other.closed && other.inbound.room() > 0) {
      end.wants_room = false;
      ++ran;
      end.handler->on_writable();
    }
    const bool at_end = other.closed && !end.paused && end.inbound.held() == 0;
    if (end.handler != nullptr && !end.told_closed && (at_end || end.failed)) {
      end.told_closed = true;
      ++ran;
      end.handler->on_closed(Error{ErrorCode::closed, "the peer closed the stream"});
    }
    return ran;
  }

  std::shared_ptr<Shared> shared_;
  std::array<PeerInfo, 2> peers_;
  std::array<bool, 2> taken_{};
};

}  // namespace

std::unique_ptr<MemoryPair> make_memory_pair(std::size_t capacity, PeerInfo left_peer, PeerInfo right_peer) {
  WEIR_ASSERT(capacity > 0);
  return std::make_unique<MemoryPairOf>(capacity, std::move(left_peer), std::move(right_peer));
}

}  // namespace weir::runtime
