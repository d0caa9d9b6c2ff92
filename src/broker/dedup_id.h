// What it is: by what a queue recognises a message that it has seen: 128 bits of SipHash-2-4, under a key that everybody may
// know, of what the publisher calls the message. On disk: never change it.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/value.h"

namespace weir::broker {

struct DedupId {
  std::uint64_t low = 0, high = 0;
  bool operator==(const DedupId&) const = default;
};

DedupId dedup_id(std::string_view text);
// Numbers and texts that read alike are one id.
inline DedupId dedup_id(const Value& header) { return dedup_id(to_text(header)); }

}  // namespace weir::broker
