#include "runtime/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/assert.h"
#include "runtime/posix_files.h"

namespace weir::runtime {
namespace {

Error error_of(int saved_errno, const std::string& path) {
  Error error = errno_error(saved_errno, path);
  if (saved_errno == ENOENT) error.code = ErrorCode::not_found;
  return error;
}

Status status_of(std::int64_t result, const std::string& path) {
  if (result < 0) return std::unexpected(error_of(static_cast<int>(-result), path));
  return {};
}

}  // namespace

std::int64_t carry_out(const DiskJob& job) {
  switch (job.kind) {
    case DiskJob::Kind::write: return posix::write_durable(job.descriptor, job.offset, job.data);
    case DiskJob::Kind::read: return posix::read(job.descriptor, job.offset, job.into);
    case DiskJob::Kind::prepare: return posix::prepare_file(job.path, job.bytes);
    case DiskJob::Kind::rename: return posix::rename_file(job.path, job.to);
    case DiskJob::Kind::remove: return posix::remove_gently(job.path);
    case DiskJob::Kind::write_file: return posix::write_file(job.path, job.contents);
  }
  WEIR_UNREACHABLE();
}

Status PosixDisk::make_directories(const std::string& path) {
  return status_of(posix::make_directories(path), path);
}

Result<std::vector<DirectoryEntry>> PosixDisk::list(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(directory.c_str()), &::closedir);
  if (opened == nullptr) return std::unexpected(error_of(errno, directory));
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(opened.get());
    if (entry == nullptr) break;
    struct stat what{};
    if (::fstatat(::dirfd(opened.get()), entry->d_name, &what, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return std::unexpected(error_of(errno, directory + "/" + entry->d_name));
    }
    if (S_ISREG(what.st_mode)) entries.push_back({entry->d_name, static_cast<std::uint64_t>(what.st_size)});
  }
  if (errno != 0) return std::unexpected(error_of(errno, directory));
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<FileHandle> PosixDisk::open(const std::string& path) {
  const int descriptor = posix::open_direct(path, O_RDWR);
  if (descriptor < 0) return std::unexpected(error_of(errno, path));
  return FileHandle{descriptor};
}

void PosixDisk::close(FileHandle file) {
  const int result = ::close(file.value);
  WEIR_ASSERT(result == 0 || errno != EBADF);
}

Result<std::uint64_t> PosixDisk::size(FileHandle file) {
  struct stat what{};
  if (::fstat(file.value, &what) != 0) return fail_errno(errno, "fstat");
  return static_cast<std::uint64_t>(what.st_size);
}

Result<std::size_t> PosixDisk::read_now(FileHandle file, std::uint64_t offset, MutableBytes into) {
  const std::int64_t count = posix::read(file.value, offset, into);
  if (count < 0) return fail_errno(static_cast<int>(-count), "read");
  return static_cast<std::size_t>(count);
}

Status PosixDisk::write_now(FileHandle file, std::uint64_t offset, Bytes data) {
  const std::int64_t count = posix::write_durable(file.value, offset, data);
  if (count < 0) return fail_errno(static_cast<int>(-count), "write");
  if (static_cast<std::size_t>(count) != data.size()) return fail(ErrorCode::io_error, "write: ended short");
  return {};
}

Result<std::vector<std::byte>> PosixDisk::read_file_now(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(error_of(errno, path));
  const FileHandle file{descriptor};
  const Result<std::uint64_t> bytes = size(file);
  Result<std::vector<std::byte>> result{std::in_place, bytes.value_or(0)};
  const std::int64_t count = posix::read(descriptor, 0, *result);
  close(file);
  if (!bytes) return std::unexpected(bytes.error());
  if (count < 0) return std::unexpected(error_of(static_cast<int>(-count), path));
  result->resize(static_cast<std::size_t>(count));
  return result;
}

Status PosixDisk::write_file_now(const std::string& path, Bytes contents) {
  return status_of(posix::write_file(path, contents), path);
}

Status PosixDisk::prepare_file_now(const std::string& path, std::uint64_t bytes) {
  return status_of(posix::prepare_file(path, bytes), path);
}

Status PosixDisk::rename_now(const std::string& from, const std::string& to) {
  return status_of(posix::rename_file(from, to), from);
}

Status PosixDisk::remove_now(const std::string& path) { return status_of(posix::remove_file(path), path); }

Result<std::uint64_t> PosixDisk::free_bytes(const std::string& path) {
  struct statvfs what{};
  if (::statvfs(path.c_str(), &what) != 0) return std::unexpected(error_of(errno, path));
  return static_cast<std::uint64_t>(what.f_bavail) * what.f_frsize;
}

}  // namespace weir::runtime
