// What it is: the main of a fuzz target outside the fuzz preset: replays a corpus folder, and of each file every
// truncation and a fixed number of mutations from a fixed seed. A missing or empty corpus is a failure.
// Usage: fuzz_<name> <folder or file>…     WEIR_FUZZ_MUTATIONS: mutations per file (default 200)
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t truncations_max = 4096;

Input read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// An exact-size copy, so that a sanitizer sees a read past the end.
void run_one(const Input& input, std::size_t size) {
  const Input exact(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void mutate(Input& input, std::mt19937_64& random) {
  const std::size_t at = random() % input.size();
  switch (random() % 4) {
    case 0: input[at] ^= static_cast<std::uint8_t>(1U << (random() % 8)); break;
    case 1: input[at] = static_cast<std::uint8_t>(random() % 2 == 0 ? 0xff : 0x00); break;
    case 2: input[at] = static_cast<std::uint8_t>(random()); break;
    default:
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), input[random() % input.size()]);
      break;
  }
}

void replay(const std::filesystem::path& path, std::uint64_t mutation_count) {
  const Input input = read_file(path);
  run_one(input, input.size());
  for (std::size_t size = 0; size < std::min(input.size(), truncations_max); ++size) run_one(input, size);
  if (input.empty()) return;
  std::mt19937_64 random(input.size());
  for (std::uint64_t i = 0; i < mutation_count; ++i) {
    Input mutated = input;
    for (std::uint64_t times = 1 + random() % 4; times > 0; --times) mutate(mutated, random);
    run_one(mutated, mutated.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* setting = std::getenv("WEIR_FUZZ_MUTATIONS");
  const std::uint64_t mutation_count = setting != nullptr ? std::strtoull(setting, nullptr, 10) : 200;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_regular_file(argv[i])) files.emplace_back(argv[i]);
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) replay(file, mutation_count);
  std::printf("replayed %zu files\n", files.size());
  return files.empty() ? 1 : 0;
}
