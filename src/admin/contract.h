// What it is: what a route takes and how it answers, as data: what the OpenAPI document says of it. A route cannot be
// written without one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::admin {

enum class Gives : std::uint8_t {
  item,   // 200 and an object, of which columns may be asked for
  list,   // 200 and a list, or a page of it (admin/listing.h)
  value,  // 200 and JSON, always the whole
  made,   // 201, or 204 where it was there
  bound,  // 201 and where it is
  done,   // 204
  check,  // 200, or 503 and why not
};

// Fields are written "name:type", with blanks between them; "name*:type" must be there. Types are those of JSON, `strings`
// and `objects` (lists of them), `words` (a list, or text with commas) and `any`.
struct Contract {
  constexpr Contract(Gives what, std::string_view of_body = {},  // NOLINT: most routes say no more
                     std::string_view of_query = {})
      : gives(what), body(of_body), query(of_query) {}

  Gives gives;
  std::string_view body;   // of its JSON; empty: there is none
  std::string_view query;  // beside those that `gives` brings along; "X-…" is a header
};

struct ContractField {
  std::string_view name, type;
  bool required = false;
};
std::vector<ContractField> contract_fields(std::string_view fields);

}  // namespace weir::admin
