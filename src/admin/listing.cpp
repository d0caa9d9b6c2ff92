#include "admin/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "admin/call.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

constexpr std::size_t items_at_once = 300;  // written on the shard's own thread

std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(mark);
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// What follows a backslash means something else in the other case.
std::string lower_pattern(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool escape = pattern[i] == '\\' && i + 1 < pattern.size();
    out += escape ? std::string(pattern.substr(i, 2)) : lower(pattern.substr(i, 1));
    if (escape) ++i;
  }
  return out;
}

std::optional<std::size_t> number(const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

const json::value* find_column(const json::object& item, const std::vector<std::string>& path) {
  const json::object* object = &item;
  const json::value* value = nullptr;
  for (const std::string& key : path) {
    value = object == nullptr ? nullptr : object->if_contains(key);
    if (value == nullptr) return nullptr;
    object = value->if_object();
  }
  return value;
}

// Numbers come before words, and words before text, as in Erlang. What is not there counts as 0.
struct SortKey {
  int kind = 0;
  double number = 0;
  std::string text;

  bool operator==(const SortKey&) const = default;
  bool operator<(const SortKey& other) const {
    if (kind != other.kind) return kind < other.kind;
    if (number != other.number) return number < other.number;
    return text < other.text;
  }
};

SortKey key_of(const json::value* value) {
  if (value == nullptr) return {};
  if (value->is_int64()) return {0, static_cast<double>(value->get_int64()), {}};
  if (value->is_uint64()) return {0, static_cast<double>(value->get_uint64()), {}};
  if (value->is_double()) return {0, value->get_double(), {}};
  if (value->is_bool()) return {1, value->get_bool() ? 1.0 : 0.0, {}};
  if (value->is_string()) return {2, 0, std::string(value->get_string())};
  return {3, 0, {}};
}

void sort_items(std::vector<json::object>& items, const Listing& listing,
                const std::vector<std::string>& default_sort) {
  std::vector<std::vector<std::string>> paths;
  for (const auto* names : {&listing.sort, &default_sort}) {
    for (const std::string& name : *names) paths.push_back(split(name, '.'));
  }
  std::vector<std::pair<std::vector<SortKey>, std::size_t>> order;
  order.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::vector<SortKey> keys;
    for (const auto& path : paths) keys.push_back(key_of(find_column(items[i], path)));
    order.emplace_back(std::move(keys), i);
  }
  std::sort(order.begin(), order.end());
  if (listing.reverse) std::reverse(order.begin(), order.end());
  std::vector<json::object> sorted;
  sorted.reserve(items.size());
  for (const auto& [keys, i] : order) sorted.push_back(std::move(items[i]));
  items = std::move(sorted);
}

json::value columns_of(const json::value& from, const std::vector<std::vector<std::string>>& columns,
                       std::size_t depth) {
  const json::object* const object = from.if_object();
  if (object == nullptr) return from;
  json::object out;
  for (const auto& [key, value] : *object) {
    std::vector<std::vector<std::string>> inner;
    bool wanted = false, whole = false;
    for (const auto& column : columns) {
      if (column.size() <= depth || column[depth] != key) continue;
      wanted = true;
      whole = whole || column.size() == depth + 1;
      inner.push_back(column);
    }
    if (wanted) out[key] = whole ? value : columns_of(value, inner, depth + 1);
  }
  return out;
}

json::array shown(std::vector<json::object> items, const Listing& listing) {
  json::array array;
  array.reserve(items.size());
  for (json::object& item : items) {
    json::value value(std::move(item));
    array.push_back(listing.columns.empty() ? std::move(value) : take_columns(value, listing));
  }
  return array;
}

}  // namespace

std::expected<Listing, ListingError> read_listing(const http::Target& target) {
  const auto text = [&](std::string_view name) {
    const std::string* const found = target.parameter(name);
    return found == nullptr ? std::string() : *found;
  };
  Listing listing;
  for (const std::string& column : split(text("columns"), ',')) listing.columns.push_back(split(column, '.'));
  if (!text("sort").empty()) listing.sort.push_back(text("sort"));
  listing.reverse = text("sort_reverse") == "true";
  if (target.parameter("page") == nullptr) return listing;
  const auto page = number(text("page"));
  const auto items =
      target.parameter("page_size") == nullptr ? page_items_default : number(text("page_size"));
  if (!page || !items) {
    return std::unexpected(ListingError{"bad_request", "Pagination parameters are invalid"});
  }
  if (*page == 0 || *items == 0 || *items > page_items_max) {
    return std::unexpected(ListingError{
        "invalid_pagination_parameters",
        fmt::format("Invalid pagination parameters: page number {}, page size {}", *page, *items)});
  }
  listing.page = Listing::Page{*page, *items, text("name"), text("use_regex") == "true"};
  return listing;
}

json::value take_columns(const json::value& from, const Listing& listing) {
  return listing.columns.empty() ? from : columns_of(from, listing.columns, 0);
}

std::expected<json::value, ListingError> arrange(std::vector<json::object> items, const Listing& listing,
                                                 const std::vector<std::string>& default_sort) {
  sort_items(items, listing, default_sort);
  if (!listing.page) return shown(std::move(items), listing);
  const std::size_t total = items.size();
  auto filter = NameFilter::make(listing);
  if (!filter) return std::unexpected(std::move(filter.error()));
  std::erase_if(items, [&](const json::object& item) {
    const json::value* const value = item.if_contains("name");
    return !filter->wants(value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                                 : "");
  });
  if (auto refused = filter->refusal()) return std::unexpected(std::move(*refused));
  const std::size_t filtered = items.size();
  const auto cut = cut_page(*listing.page, filtered);
  if (!cut) return std::unexpected(cut.error());
  const auto begin = items.begin();
  std::vector<json::object> wanted(std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(cut->first)),
                                   std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(cut->end)));
  return page_view(*listing.page, total, filtered, shown(std::move(wanted), listing));
}

std::expected<NameFilter, ListingError> NameFilter::make(const Listing& listing) {
  NameFilter filter;
  if (!listing.page || listing.page->name.empty()) return filter;
  if (!listing.page->use_regex) {
    filter.part_ = lower(listing.page->name);
    return filter;
  }
  auto compiled = broker::Pattern::compile(lower_pattern(listing.page->name));
  if (!compiled) return std::unexpected(ListingError{"bad_request", "Pagination parameters are invalid"});
  filter.pattern_.emplace(std::move(*compiled));
  return filter;
}

bool NameFilter::wants(std::string_view name) {
  if (pattern_) return pattern_->matches(lower(name), steps_left_);
  return part_.empty() || lower(name).find(part_) != std::string::npos;
}

std::optional<ListingError> NameFilter::refusal() const {
  if (steps_left_ > 0) return std::nullopt;
  return ListingError{
      "bad_request",
      "the regular expression takes too long for so many names: make it simpler, or ask for less"};
}

std::expected<PageCut, ListingError> cut_page(const Listing::Page& page, std::size_t items) {
  if (page.number - 1 > items / page.items) {
    return std::unexpected(ListingError{
        "page_out_of_range",
        fmt::format("Page out of range, page: {} page size: {}, len: {}", page.number, page.items, items)});
  }
  const std::size_t first = (page.number - 1) * page.items;
  return PageCut{first, std::min(items, first + page.items)};
}

json::object page_view(const Listing::Page& page, std::size_t total, std::size_t filtered,
                       json::array items) {
  json::object out;
  out["filtered_count"] = filtered;
  out["item_count"] = items.size();
  out["items"] = std::move(items);
  out["page"] = page.number;
  out["page_count"] = (filtered + page.items - 1) / page.items;
  out["page_size"] = page.items;
  out["total_count"] = total;
  return out;
}

void reply_list(Call& call, std::size_t about, std::function<std::vector<json::object>()> make,
                std::vector<std::string> default_sort) {
  struct Work {
    Listing listing;
    std::function<std::vector<json::object>()> make;
    std::vector<std::string> default_sort;
    std::string text;
    ListingError error;

    void run() {
      auto arranged = arrange(make(), listing, default_sort);
      if (arranged) {
        text = json::serialize(*arranged);
      } else {
        error = std::move(arranged.error());
      }
    }
  };
  auto listing = read_listing(call.target());
  if (!listing) return call.refuse(400, listing.error().error, listing.error().reason);
  const auto work =
      std::make_shared<Work>(Work{std::move(*listing), std::move(make), std::move(default_sort), {}, {}});
  const auto answer = [call = call.keep(), work] {
    if (!work->error.error.empty()) return call->refuse(400, work->error.error, work->error.reason);
    call->reply_json(200, std::move(work->text));
  };
  if (about > items_at_once) {
    call.offload([work] { work->run(); }, answer);
    return;
  }
  work->run();
  answer();
}

void reply_item(Call& call, const json::object& item) {
  const auto listing = read_listing(call.target());
  if (!listing) return call.refuse(400, listing.error().error, listing.error().reason);
  call.ok(take_columns(item, *listing));
}

}  // namespace weir::admin
