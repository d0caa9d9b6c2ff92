// What it is: JSON answers as text for people: a list as a table, an object as lines, messages with their payloads. Pure.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

// The value at a path as "a.b"; null: there is none.
const boost::json::value* value_at(const boost::json::object& item, std::string_view path);
// null counts as none.
std::optional<double> number_at(const boost::json::object& item, std::string_view path);
// One line, harmless to a terminal; empty: there is none.
std::string text_at(const boost::json::object& item, std::string_view path);

// Columns are paths as "a.b"; no columns: all that the first item has. A column that no item has is empty.
std::string table_text(const boost::json::array& items, std::vector<std::string> columns);
std::string item_text(const boost::json::object& item, std::vector<std::string> columns);
// Those of the columns that no item of the answer has (an empty list has all).
std::vector<std::string> unknown_columns(const boost::json::value& answer,
                                         const std::vector<std::string>& columns);
std::string messages_text(const boost::json::array& messages);

}  // namespace weir::cli
