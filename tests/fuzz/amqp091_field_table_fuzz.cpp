// Input: the content of a field table. Properties: the walk and the tree agree on what is valid; a tree
// encodes to bytes that decode to the same tree; lookup and cursor agree with the tree; entries copied
// through a cursor are byte for byte the input.
#include <vector>

#include "fuzz/amqp091_check.h"
#include "protocol/amqp091/codec/field_table.h"

namespace weir::amqp091 {
namespace {

void check_lookup(Bytes content, const FieldTable& tree) {
  std::size_t index = 0;
  TableCursor at(content);
  for (; at.next(); ++index) {
    WEIR_ASSERT(index < tree.entries.size() && tree.entries[index].name == at.name());
    const FieldValue* first = tree.find(at.name());
    const auto found = find_in_table(content, at.name());
    WEIR_ASSERT(first != nullptr && found);
    // By their encoding: a float that is not a number does not equal itself.
    WEIR_ASSERT(encode_table(FieldTable().add("", *first)) ==
                encode_table(FieldTable().add("", value_of(*found))));
    (void)found->as_integer();
    (void)found->as_number();
    (void)found->as_bool();
    (void)found->as_timestamp_s();
    (void)found->as_text();
    if (index == 16) return;  // enough: each step encodes the whole value
  }
  WEIR_ASSERT(at.ok() && index == tree.entries.size());
}

void run(Bytes content) {
  const bool valid = validate_table(content).has_value();
  const auto tree = decode_table(content);
  WEIR_ASSERT(valid == tree.has_value());
  if (!tree) {
    for (TableCursor at(content); at.next();) (void)find_in_table(content, at.name());
    return;
  }
  const auto encoded = encode_table(*tree);
  WEIR_ASSERT(encoded.size() == content.size());
  const auto again = decode_table(encoded);
  WEIR_ASSERT(again && encode_table(*again) == encoded);
  check_lookup(content, *tree);

  std::vector<std::byte> copy;
  for (TableCursor at(content); at.next();) append_entry(copy, at.name(), at.value());
  WEIR_ASSERT(same_bytes(copy, content));
}

}  // namespace
}  // namespace weir::amqp091

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::amqp091::run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
