#include "runtime/sim/sim_file.h"

#include <algorithm>
#include <cstring>

namespace weir::runtime {

void SimFile::resize(std::uint64_t bytes) {
  if (bytes < size_ && bytes % page_bytes != 0 && pages_[bytes / page_bytes] != nullptr) {
    std::byte* const page = writable(bytes / page_bytes);
    std::fill(page + bytes % page_bytes, page + page_bytes, std::byte{0});
  }
  pages_.resize((bytes + page_bytes - 1) / page_bytes);
  size_ = bytes;
}

std::size_t SimFile::read(std::uint64_t offset, MutableBytes into) const {
  if (offset >= size_) return 0;
  const std::size_t count = std::min<std::uint64_t>(into.size(), size_ - offset);
  for (std::size_t done = 0; done < count;) {
    const std::size_t within = (offset + done) % page_bytes;
    const std::size_t piece = std::min(count - done, page_bytes - within);
    const std::shared_ptr<Page>& page = pages_[(offset + done) / page_bytes];
    if (page == nullptr) {
      std::memset(into.data() + done, 0, piece);
    } else {
      std::memcpy(into.data() + done, page->data() + within, piece);
    }
    done += piece;
  }
  return count;
}

void SimFile::write(std::uint64_t offset, Bytes data) {
  if (offset + data.size() > size_) resize(offset + data.size());
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t within = (offset + done) % page_bytes;
    const std::size_t piece = std::min(data.size() - done, page_bytes - within);
    std::memcpy(writable((offset + done) / page_bytes) + within, data.data() + done, piece);
    done += piece;
  }
}

std::byte* SimFile::writable(std::size_t page) {
  std::shared_ptr<Page>& slot = pages_[page];
  if (slot == nullptr) {
    slot = std::make_shared<Page>();
    slot->fill(std::byte{0});
  } else if (slot.use_count() > 1) {
    slot = std::make_shared<Page>(*slot);
  }
  return slot->data();
}

}  // namespace weir::runtime
