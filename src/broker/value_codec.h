// What it is: values and tables as bytes, for definitions on disk and between shards (docs/formats/definitions.md).
//
//  value: u8 tag, then by tag (little endian)
//   0 void -          1 bool u8          2 int8     3 uint8    4 int16    5 uint16   6 int32    7 uint32
//   8 int64           9 uint64          10 float32 11 float64 12 decimal: u8 scale, int32
//  13 timestamp u64  14 string          15 bytes   (both: u32 bytes, then they)       16 uuid: 16 bytes
//  17 array: u32 values, then they      18 table
//  table: u32 fields, then for each: u16 key bytes, key, value
#pragma once

#include <cstddef>

#include "base/cursor.h"
#include "broker/value.h"

namespace weir::broker {

// Tables in tables: what a decoder follows, and what a declaration may hold.
inline constexpr std::size_t value_depth_max = 32;  // the outermost is 1
inline constexpr std::size_t table_key_bytes_max = 255;

void encode_table(const Table& table, Writer& out);
// False: it is not a table in this form, or deeper than value_depth_max, or a key repeats.
bool decode_table(Reader& from, Table& out);

}  // namespace weir::broker
