// What it is: durable operations on files by plain system calls. Each blocks and answers 0, a byte count or -errno.
// Private to runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace weir::runtime::posix {

// O_DIRECT where the file system has it. `flags` besides O_CLOEXEC.
int open_direct(const std::string& path, int flags, unsigned mode = 0640);
// All of `data`, on stable storage; a count only when the device ends short.
std::int64_t write_durable(int descriptor, std::uint64_t offset, Bytes data);
// Fewer bytes only at the end of the file.
std::int64_t read(int descriptor, std::uint64_t offset, MutableBytes into);
std::int64_t prepare_file(const std::string& path, std::uint64_t bytes);
std::int64_t write_file(const std::string& path, Bytes contents);
std::int64_t rename_file(const std::string& from, const std::string& to);
std::int64_t remove_file(const std::string& path);
// The same for a large file that others write beside: a file system that discards what it frees can keep the disk busy with
// that for a millisecond per MiB, so it is freed a piece at a time. A crash meanwhile leaves a temporary file.
std::int64_t remove_gently(const std::string& path);
std::int64_t make_directories(const std::string& path);

}  // namespace weir::runtime::posix
