// What it is: a list of properties as it lies in a packet: which form each property has, where it may stand, and a walk over
// the list that checks this.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "protocol/mqtt/codec/decoded.h"
#include "protocol/mqtt/codec/input.h"
#include "protocol/mqtt/codec/properties.h"

namespace weir::mqtt {

// One bit for each property.
using PropertySet = std::uint64_t;
constexpr PropertySet set_of(std::initializer_list<PropertyId> ids) {
  PropertySet set = 0;
  for (const PropertyId id : ids) set |= PropertySet{1} << static_cast<unsigned>(id);
  return set;
}
constexpr PropertySet set_of(PropertyId id) { return set_of({id}); }

struct Property {
  PropertyId id{};
  std::uint32_t number = 0;  // byte, two and four bytes, variable byte integer
  Bytes data{};              // string, binary data, the name of a pair
  std::string_view value{};  // of a pair

  std::string_view text() const { return as_text(data); }
  bool flag() const { return number != 0; }
};

// One property off the front. False: the input's fault(), or the property is unknown.
bool take_property(Input& input, bool check_texts, Property& property);

// What `property` must not have as its value; code success: it is fine.
WireError fault_of_value(const Property& property);

// Calls fill(property, its bytes) for each property of the list at the front of `input`, which the list is taken off.
template <typename Fill>
Decoded<void> decode_list(Input& input, PropertySet allowed, PropertySet repeatable, Fill&& fill) {
  const std::uint32_t length = input.varint();
  Input list(input.bytes(length));
  if (!input.ok()) return malformed(input.fault());
  PropertySet seen = 0;
  while (!list.at_end()) {
    const std::byte* const from = list.position();
    Property property;
    if (!take_property(list, true, property)) {
      return malformed(list.ok() ? "a property that does not exist" : list.fault());
    }
    const PropertySet bit = set_of(property.id);
    if ((allowed & bit) == 0) return malformed("a property that does not belong into this packet");
    if ((seen & bit & ~repeatable) != 0) return protocol_error("a property that comes more than once");
    seen |= bit;
    if (const WireError fault = fault_of_value(property); fault.code != ReasonCode::success) {
      return std::unexpected<WireError>(fault);
    }
    fill(property, Bytes(from, list.position()));
  }
  return {};
}

}  // namespace weir::mqtt
