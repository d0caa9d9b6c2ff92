#include "broker/weighted_choice.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/assert.h"
#include "broker/hash.h"
#include "broker/topology_state.h"

namespace weir::broker {

namespace {

std::uint64_t identity(const Binding& binding) {
  return hash_text(name_of(*binding.destination), static_cast<std::uint64_t>(binding.destination->kind));
}

std::uint64_t weight_of(const Binding& binding) { return binding_weight(binding.routing_key).value_or(1); }

std::uint64_t draw(std::uint64_t key_hash, std::uint64_t candidate) {
  return hash_mix(hash_mix(key_hash ^ candidate, 0x9e3779b97f4a7c15ULL) ^ candidate, 0xd6e8feb86659fd93ULL);
}

// The number that wins: of equal weights it grows with what was drawn.
double score(std::uint64_t drawn, std::uint64_t weight) {
  constexpr double unit = 1.0 / 18446744073709551616.0;  // 2^-64
  const double between = (static_cast<double>(drawn) + 0.5) * unit;
  return static_cast<double>(weight) / -std::log(std::min(between, 1.0 - 1e-16));
}

}  // namespace

std::optional<std::uint64_t> binding_weight(std::string_view routing_key) {
  if (routing_key.starts_with('+')) routing_key.remove_prefix(1);
  std::uint64_t weight = 0;
  const auto [end, error] =
      std::from_chars(routing_key.data(), routing_key.data() + routing_key.size(), weight);
  if (error != std::errc() || end != routing_key.data() + routing_key.size() || weight == 0)
    return std::nullopt;
  return weight;
}

void WeightedChoice::add(Binding& binding) {
  const std::uint64_t weight = weight_of(binding);
  auto at =
      std::find_if(classes_.begin(), classes_.end(), [&](const Class& c) { return c.weight == weight; });
  if (at == classes_.end()) at = classes_.insert(at, Class{weight, {}});
  at->candidates.push_back({identity(binding), &binding});
}

void WeightedChoice::remove(Binding& binding) {
  const std::uint64_t weight = weight_of(binding);
  const auto at =
      std::find_if(classes_.begin(), classes_.end(), [&](const Class& c) { return c.weight == weight; });
  WEIR_ASSERT(at != classes_.end());
  std::erase_if(at->candidates, [&](const Candidate& candidate) { return candidate.binding == &binding; });
  if (at->candidates.empty()) classes_.erase(at);
}

const Binding* WeightedChoice::winner(std::uint64_t key_hash) const {
  const Binding* best = nullptr;
  std::uint64_t best_hash = 0;
  double best_score = -1;
  for (const Class& of_weight : classes_) {
    const Candidate* highest = nullptr;
    std::uint64_t most = 0;
    for (const Candidate& candidate : of_weight.candidates) {
      const std::uint64_t drawn = draw(key_hash, candidate.hash);
      const bool wins =
          highest == nullptr || drawn > most || (drawn == most && candidate.hash < highest->hash);
      if (!wins) continue;
      most = drawn;
      highest = &candidate;
    }
    if (highest == nullptr) continue;
    const double scored = score(most, of_weight.weight);
    if (scored < best_score || (scored == best_score && highest->hash >= best_hash)) continue;
    best_score = scored;
    best_hash = highest->hash;
    best = highest->binding;
  }
  return best;
}

}  // namespace weir::broker
