// What it is: lists as they are asked for: filtered by name, sorted, cut into a page, with the columns that are wanted.
// Pure, and for any thread: long lists are arranged off the shard's.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <expected>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http/codec/target.h"

namespace weir::admin {

class Call;

// What lists read of a query, as a contract writes it (admin/contract.h).
inline constexpr std::string_view list_parameters =
    "columns:string sort:string sort_reverse:boolean page:integer page_size:integer name:string "
    "use_regex:boolean";
inline constexpr std::size_t page_items_default = 100;
inline constexpr std::size_t page_items_max = 500;

struct ListingError {
  std::string error, reason;
};

struct Listing {
  struct Page {
    std::size_t number = 1, items = page_items_default;
    std::string name;  // only items whose name has it in it, or matches it; empty: all
    bool use_regex = false;
  };
  // A column within an object is "a.b".
  std::vector<std::vector<std::string>> columns;  // empty: all
  std::vector<std::string> sort;                  // by a column; before what is the default
  bool reverse = false;
  std::optional<Page> page;
};

std::expected<Listing, ListingError> read_listing(const http::Target& target);

// The items, or the page with what RabbitMQ says of it.
std::expected<boost::json::value, ListingError> arrange(std::vector<boost::json::object> items,
                                                        const Listing& listing,
                                                        const std::vector<std::string>& default_sort);
// Of one object.
boost::json::value take_columns(const boost::json::value& from, const Listing& listing);

// Answers the call with a list. `make` has taken all that it needs along with it: where the list is long (`about` so many
// items), it runs on another thread.
void reply_list(Call& call, std::size_t about, std::function<std::vector<boost::json::object>()> make,
                std::vector<std::string> default_sort = {"vhost", "name"});
// Answers with one object, of which columns may be asked for.
void reply_item(Call& call, const boost::json::object& item);

}  // namespace weir::admin
