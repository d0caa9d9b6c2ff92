// What it is: on which lines of a definitions file its entries begin, for those who have to repair it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::admin {

// By section: lists that the object of the file has. The text is good JSON.
using EntryLines = std::map<std::string, std::vector<std::uint32_t>, std::less<>>;
EntryLines entry_lines(std::string_view json);

}  // namespace weir::admin
