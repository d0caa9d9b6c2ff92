#include "admin/listing.h"

#include <gtest/gtest.h>

#include "admin/utf8.h"

namespace weir::admin {
namespace {

namespace json = boost::json;

std::vector<json::object> items() {
  std::vector<json::object> items;
  for (const auto* text : {R"({"name":"b","messages":2,"stats":{"rate":0.5,"publish":9}})",
                           R"({"name":"a","messages":10,"stats":{"rate":2,"publish":1}})",
                           R"({"name":"Orders.1","stats":{}})", R"({"name":"c","messages":"text"})"})
    items.push_back(json::parse(text).as_object());
  return items;
}

std::string arranged(std::string_view query, const std::vector<std::string>& default_sort = {"name"}) {
  const auto target = http::parse_target("/x?" + std::string(query));
  const auto listing = read_listing(*target);
  if (!listing) return listing.error().error + ": " + listing.error().reason;
  const auto value = arrange(items(), *listing, default_sort);
  return value ? json::serialize(*value) : value.error().error + ": " + value.error().reason;
}

TEST(Listing, is_sorted_by_name_unless_something_else_is_asked_for) {
  EXPECT_EQ(arranged("columns=name"), R"([{"name":"Orders.1"},{"name":"a"},{"name":"b"},{"name":"c"}])");
  EXPECT_EQ(arranged("columns=name&sort_reverse=true"),
            R"([{"name":"c"},{"name":"b"},{"name":"a"},{"name":"Orders.1"}])");
}

TEST(Listing, numbers_come_before_text_and_what_is_missing_counts_as_zero) {
  EXPECT_EQ(arranged("columns=name&sort=messages"),
            R"([{"name":"Orders.1"},{"name":"b"},{"name":"a"},{"name":"c"}])");
  EXPECT_EQ(arranged("columns=name&sort=stats.rate"),
            R"([{"name":"Orders.1"},{"name":"c"},{"name":"b"},{"name":"a"}])");
}

TEST(Listing, columns_reach_into_objects) {
  EXPECT_EQ(arranged("columns=stats.rate,none&page=1&page_size=1&name=b"),
            R"({"filtered_count":1,"item_count":1,"items":[{"stats":{"rate":5E-1}}],"page":1,"page_count":1,)"
            R"("page_size":1,"total_count":4})");
}

TEST(Listing, a_page_says_what_it_is_a_part_of) {
  EXPECT_EQ(arranged("page=2&page_size=3&columns=name"),
            R"({"filtered_count":4,"item_count":1,"items":[{"name":"c"}],"page":2,"page_count":2,)"
            R"("page_size":3,"total_count":4})");
  EXPECT_EQ(
      arranged("page=2&page_size=4&columns=name"),
      R"({"filtered_count":4,"item_count":0,"items":[],"page":2,"page_count":1,"page_size":4,"total_count":4})");
}

TEST(Listing, names_are_found_in_either_case_as_text_or_by_expression) {
  EXPECT_NE(arranged("page=1&name=oRd&columns=name").find(R"([{"name":"Orders.1"}])"), std::string::npos);
  EXPECT_NE(
      arranged("page=1&name=%5EO.*%5C.%5Cd$&use_regex=true&columns=name").find(R"([{"name":"Orders.1"}])"),
      std::string::npos);
  EXPECT_EQ(arranged("page=1&name=(&use_regex=true"), "bad_request: Pagination parameters are invalid");
}

TEST(Listing, pages_that_are_not_there_are_refused) {
  EXPECT_EQ(arranged("page=3&page_size=2&name=a"),
            "page_out_of_range: Page out of range, page: 3 page size: 2, len: 1");
  EXPECT_EQ(arranged("page=18446744073709551615").substr(0, 17), "page_out_of_range");
  for (const auto* bad : {"page=x", "page=", "page=-1", "page=1&page_size=a", "page=99999999999999999999"})
    EXPECT_EQ(arranged(bad), "bad_request: Pagination parameters are invalid") << bad;
  for (const auto* bad : {"page=0", "page=1&page_size=0", "page=1&page_size=501"})
    EXPECT_EQ(arranged(bad).substr(0, 29), "invalid_pagination_parameters") << bad;
}

TEST(Utf8, what_is_none_is_replaced_byte_by_byte) {
  EXPECT_EQ(make_utf8("plain, \xc3\xa4, \xe2\x82\xac, \xf0\x9f\x94\x91"), "plain, ä, €, 🔑");
  EXPECT_EQ(make_utf8("a\xff"), "a\xef\xbf\xbd");
  for (const std::string_view bad :
       {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80", "\xc3", "\x80"})
    EXPECT_FALSE(is_utf8(bad));
  EXPECT_EQ(make_utf8("\xe2\x82x"), "\xef\xbf\xbd\xef\xbf\xbdx");
}

TEST(Listing, an_expression_may_cost_so_much_for_all_names_of_a_list_together) {
  std::string costly = "(";
  for (int i = 0; i < 300; ++i) costly += "a?";
  Listing listing;
  listing.page = Listing::Page{1, 100, costly + "){3}x", true};
  auto filter = NameFilter::make(listing);
  ASSERT_TRUE(filter.has_value());
  std::size_t names = 0;
  for (; !filter->refusal() && names < 10'000; ++names) EXPECT_FALSE(filter->wants(std::string(250, 'a')));
  EXPECT_GT(names, 10U);
  EXPECT_LT(names, 10'000U);
  ASSERT_TRUE(filter->refusal().has_value());
  EXPECT_EQ(filter->refusal()->error, "bad_request");
  EXPECT_THAT(filter->refusal()->reason, testing::StartsWith("the regular expression takes too long"));
  EXPECT_FALSE(filter->wants("ax")) << "nothing is looked at any more";
}

TEST(Listing, a_list_whose_expression_costs_too_much_is_refused) {
  std::string costly = "(";
  for (int i = 0; i < 300; ++i) costly += "a?";
  Listing listing;
  listing.page = Listing::Page{1, 100, costly + "){3}x", true};
  std::vector<json::object> items(1'000, {{"name", std::string(250, 'a')}});
  const auto arranged = arrange(std::move(items), listing, {"name"});
  ASSERT_FALSE(arranged.has_value());
  EXPECT_EQ(arranged.error().error, "bad_request");
}

}  // namespace
}  // namespace weir::admin
