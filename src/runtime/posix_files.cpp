#include "runtime/posix_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include "base/assert.h"
#include "runtime/disk.h"

namespace weir::runtime::posix {
namespace {

constexpr std::size_t zeros_bytes = 1U << 20;
constexpr off_t removed_at_once_bytes = 2 << 20;
constexpr std::chrono::milliseconds removal_pause{5};

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }

 private:
  int value_;
};

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::int64_t sync_directory(const std::string& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) return -errno;
  return ::fsync(opened.get()) == 0 ? 0 : -errno;
}

struct Free {
  void operator()(std::byte* data) const { std::free(data); }
};
using AlignedBytes = std::unique_ptr<std::byte, Free>;

AlignedBytes make_zeros() {
  AlignedBytes zeros(static_cast<std::byte*>(std::aligned_alloc(disk_block_bytes, zeros_bytes)));
  WEIR_ASSERT(zeros != nullptr);
  std::fill_n(zeros.get(), zeros_bytes, std::byte{0});
  return zeros;
}

std::int64_t write_all(int descriptor, std::uint64_t offset, Bytes data, int flags) {
  std::size_t done = 0;
  while (done < data.size()) {
    const iovec piece{const_cast<std::byte*>(data.data() + done), data.size() - done};
    const ssize_t count = ::pwritev2(descriptor, &piece, 1, static_cast<off_t>(offset + done), flags);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return static_cast<std::int64_t>(done);
}

// Makes a file under a temporary name by `fill`, and gives it its name. An error leaves nothing.
template <typename Fill>
std::int64_t make_file(const std::string& path, bool direct, Fill fill) {
  const std::string temporary = path + temporary_suffix;
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
  const auto made = [&]() -> std::int64_t {
    const Descriptor file(direct ? open_direct(temporary, flags)
                                 : ::open(temporary.c_str(), flags | O_CLOEXEC, 0640));
    if (file.get() < 0) return -errno;
    if (const std::int64_t filled = fill(file.get()); filled < 0) return filled;
    if (::fsync(file.get()) != 0) return -errno;
    return 0;
  }();
  const std::int64_t result = made < 0 ? made : rename_file(temporary, path);
  if (result < 0) ::unlink(temporary.c_str());
  return result;
}

}  // namespace

int open_direct(const std::string& path, int flags, unsigned mode) {
  const int direct = ::open(path.c_str(), flags | O_DIRECT | O_CLOEXEC, mode);
  if (direct >= 0 || errno != EINVAL) return direct;
  return ::open(path.c_str(), flags | O_CLOEXEC, mode);
}

std::int64_t write_durable(int descriptor, std::uint64_t offset, Bytes data) {
  return write_all(descriptor, offset, data, RWF_DSYNC);
}

std::int64_t read(int descriptor, std::uint64_t offset, MutableBytes into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count =
        ::pread(descriptor, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -errno;
    done += static_cast<std::size_t>(count);
    // A piece that is not whole blocks ends the file; O_DIRECT would refuse the next offset.
    if (count == 0 || done % disk_block_bytes != 0) break;
  }
  return static_cast<std::int64_t>(done);
}

std::int64_t prepare_file(const std::string& path, std::uint64_t bytes) {
  const AlignedBytes zeros = make_zeros();
  return make_file(path, true, [&](int descriptor) -> std::int64_t {
    // Whole blocks, then cut: an O_DIRECT write can't end inside of a block.
    const std::uint64_t whole = align_up(bytes, disk_block_bytes);
    // Tells of a full disk before any of it is written.
    if (whole > 0 && ::fallocate(descriptor, 0, 0, static_cast<off_t>(whole)) != 0 && errno != EOPNOTSUPP) {
      return -errno;
    }
    for (std::uint64_t at = 0; at < whole; at += zeros_bytes) {
      const Bytes piece(zeros.get(), std::min<std::uint64_t>(zeros_bytes, whole - at));
      const std::int64_t written = write_all(descriptor, at, piece, 0);
      if (written < 0) return written;
      if (static_cast<std::size_t>(written) < piece.size()) return -EIO;
    }
    return whole == bytes || ::ftruncate(descriptor, static_cast<off_t>(bytes)) == 0 ? 0 : -errno;
  });
}

std::int64_t write_file(const std::string& path, Bytes contents) {
  return make_file(path, false, [&](int descriptor) -> std::int64_t {
    const std::int64_t written = write_all(descriptor, 0, contents, 0);
    if (written < 0) return written;
    return static_cast<std::size_t>(written) == contents.size() ? 0 : -EIO;
  });
}

std::int64_t rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return -errno;
  if (const std::int64_t synced = sync_directory(parent_of(to)); synced < 0) return synced;
  return parent_of(from) == parent_of(to) ? 0 : sync_directory(parent_of(from));
}

std::int64_t remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return -errno;
  return sync_directory(parent_of(path));
}

std::int64_t remove_gently(const std::string& path) {
  const std::string temporary = path + temporary_suffix;
  if (::rename(path.c_str(), temporary.c_str()) != 0) return -errno;
  const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat what{};
  if (file.get() >= 0 && ::fstat(file.get(), &what) == 0) {
    // What can't be cut goes at once, with the name.
    for (off_t left = what.st_size - removed_at_once_bytes; left > 0; left -= removed_at_once_bytes) {
      if (::ftruncate(file.get(), left) != 0) break;
      std::this_thread::sleep_for(removal_pause);
    }
  }
  return remove_file(temporary);
}

std::int64_t make_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string prefix = path.substr(0, slash);
    if (::mkdir(prefix.c_str(), 0750) == 0) {
      if (const std::int64_t synced = sync_directory(parent_of(prefix)); synced < 0) return synced;
    } else if (errno != EEXIST) {
      return -errno;
    }
    if (slash == std::string::npos) break;
  }
  struct stat what{};
  if (::stat(path.c_str(), &what) != 0) return -errno;
  return S_ISDIR(what.st_mode) ? 0 : -ENOTDIR;
}

}  // namespace weir::runtime::posix
