// What it is: the entries of a chunk of a queue's index in a few bytes, for a chunk that nobody looks at. Messages that
// came one after the other lie one after the other, a step apart: a run of them takes one or two bytes. In memory only.
//
// Tokens of a varint (n << 3 | what) each:
//   along n    n + 1 entries, each a step further than the one before
//   gone n     n + 1 that are gone
//   jump n     one, by zigzag(n) more than a step further; the step stays
//   step n     one, zigzag(n) further, which is the step from now on; then varint zigzag: the low bits' change
//   marks n    of what follows: the state and marks of Entry
// "Further" counts in units of 2^22 of the reference, whose lower bits (a record's length) change with `step` only.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "broker/entry.h"

namespace weir::broker {

// Replaces what is in `out`. False, and `out` is of no use: an entry is out with a consumer, or they don't get smaller.
bool pack_entries(std::span<const Entry> entries, std::vector<std::byte>& out);
// All of `from`, which pack_entries made of as many entries.
void unpack_entries(std::span<const std::byte> from, std::span<Entry> entries);

}  // namespace weir::broker
