// What it is: the lock that keeps a second server off a data directory: flock on <directory>/node.lock. The kernel lets
// go of it when the process ends, however it ends.
// Lifetime: held until destroyed.
#pragma once

#include <string>

#include "base/error.h"

namespace weir::runtime {

class LockFile {
 public:
  // The directory exists. locked: another process holds it; the text names the directory and, if known, the process.
  static Result<LockFile> acquire(const std::string& directory);

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
};

}  // namespace weir::runtime
