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

#include "broker/pattern.h"
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
// Of names, those that a page wants. All of a list share what an expression may cost.
class NameFilter {
 public:
  static constexpr std::size_t steps_max = 50'000'000;  // about a second

  static std::expected<NameFilter, ListingError> make(const Listing& listing);
  bool wants(std::string_view name);
  // Not empty: the expression has cost too much, and what was said of names counts for nothing.
  std::optional<ListingError> refusal() const;

 private:
  std::string part_;  // in lower case; empty: all names are wanted
  std::optional<broker::Pattern> pattern_;
  std::size_t steps_left_ = steps_max;
};

// What a page has of so many items.
struct PageCut {
  std::size_t first = 0, end = 0;
};
std::expected<PageCut, ListingError> cut_page(const Listing::Page& page, std::size_t items);
// With its items, as RabbitMQ tells it.
boost::json::object page_view(const Listing::Page& page, std::size_t total, std::size_t filtered,
                              boost::json::array items);

// Of one object.
boost::json::value take_columns(const boost::json::value& from, const Listing& listing);

// Answers the call with a list. `make` has taken all that it needs along with it: where the list is long (`about` so many
// items), it runs on another thread.
void reply_list(Call& call, std::size_t about, std::function<std::vector<boost::json::object>()> make,
                std::vector<std::string> default_sort = {"vhost", "name"});
// Answers with one object, of which columns may be asked for.
void reply_item(Call& call, const boost::json::object& item);

}  // namespace weir::admin
