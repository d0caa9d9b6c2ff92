#include "runtime/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace weir::runtime {
namespace {

// The holder writes its process id into the file, for this message only: the lock is what counts.
std::string holder_of(int descriptor) {
  char text[32];
  const ssize_t length = ::pread(descriptor, text, sizeof text, 0);
  if (length <= 0) return {};
  long pid = 0;
  const auto [end, error] = std::from_chars(text, text + length, pid);
  return error == std::errc{} && pid > 0 ? fmt::format(" (process {})", pid) : std::string();
}

Status write_holder(int descriptor, const std::string& path) {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, text.data(), text.size(), 0) < 0) {
    return fail_errno(errno, "write " + path);
  }
  return {};
}

}  // namespace

Result<LockFile> LockFile::acquire(const std::string& directory) {
  const std::string path = directory + "/node.lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail_errno(errno, "open " + path);
  LockFile lock(descriptor);
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return fail_errno(errno, "lock " + path);
    return fail(ErrorCode::locked,
                fmt::format("another server{} uses the data directory {}", holder_of(descriptor), directory));
  }
  WEIR_TRY(write_holder(descriptor, path));
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace weir::runtime
