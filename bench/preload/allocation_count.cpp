// What it is: counts a process's calls of the allocator, whatever allocator it uses: loaded in front of it (LD_PRELOAD), it
// passes every call on. The count is an 8-byte integer in the file that WEIR_ALLOCATION_COUNT names.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

using Malloc = void* (*)(std::size_t);
using Calloc = void* (*)(std::size_t, std::size_t);
using Realloc = void* (*)(void*, std::size_t);
using AlignedAlloc = void* (*)(std::size_t, std::size_t);
using Free = void (*)(void*);

std::atomic<std::uint64_t> not_shared{0};
std::atomic<std::uint64_t>* count = &not_shared;

template <typename F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

// dlsym itself may allocate before we know where to: it gets pieces of this, which are never freed.
alignas(16) std::byte early[16 << 10];
std::size_t early_used = 0;
bool resolving = false;

void* early_allocate(std::size_t bytes) {
  void* at = early + early_used;
  early_used += (bytes + 15) / 16 * 16;
  if (early_used > sizeof early) std::abort();
  return at;
}
bool is_early(const void* at) { return at >= early && at < early + sizeof early; }

struct Real {
  Malloc malloc = nullptr;
  Calloc calloc = nullptr;
  Realloc realloc = nullptr;
  AlignedAlloc aligned_alloc = nullptr;
  Free free = nullptr;
} real;

void resolve() {
  if (real.free != nullptr || resolving) return;
  resolving = true;
  real.malloc = next<Malloc>("malloc");
  real.calloc = next<Calloc>("calloc");
  real.realloc = next<Realloc>("realloc");
  real.aligned_alloc = next<AlignedAlloc>("aligned_alloc");
  real.free = next<Free>("free");
  resolving = false;
}

__attribute__((constructor)) void share_count() {
  resolve();
  const char* path = std::getenv("WEIR_ALLOCATION_COUNT");
  if (path == nullptr) return;
  const int file = ::open(path, O_RDWR | O_CREAT, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(std::uint64_t)) != 0) return;
  void* at = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (at != MAP_FAILED) count = static_cast<std::atomic<std::uint64_t>*>(at);
}

void note() { count->fetch_add(1, std::memory_order_relaxed); }

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
  resolve();
  if (real.malloc == nullptr) return early_allocate(bytes);
  note();
  return real.malloc(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) {
  resolve();
  if (real.calloc == nullptr) return early_allocate(number * bytes);
  note();
  return real.calloc(number, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  resolve();
  note();
  if (!is_early(old)) return real.realloc(old, bytes);
  void* moved = real.malloc(bytes);
  std::memcpy(moved, old, bytes);
  return moved;
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  resolve();
  note();
  return real.aligned_alloc(alignment, bytes);
}
void free(void* at) {
  resolve();
  if (at != nullptr && !is_early(at) && real.free != nullptr) real.free(at);
}

}  // extern "C"

// jemalloc brings operator new and delete of its own, which would pass by the functions above.
void* operator new(std::size_t bytes) { return malloc(bytes); }
void* operator new[](std::size_t bytes) { return malloc(bytes); }
void operator delete(void* at) noexcept { free(at); }
void operator delete[](void* at) noexcept { free(at); }
void operator delete(void* at, std::size_t) noexcept { free(at); }
void operator delete[](void* at, std::size_t) noexcept { free(at); }
