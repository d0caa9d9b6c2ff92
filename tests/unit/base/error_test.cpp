#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace weir {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorCode::invalid_argument, "odd");
  return number / 2;
}

TEST(Error, a_full_disk_or_quota_is_no_space_and_all_else_is_an_io_error) {
  EXPECT_EQ(errno_error(ENOSPC, "write").code, ErrorCode::no_space);
  EXPECT_EQ(errno_error(EDQUOT, "write").code, ErrorCode::no_space);
  EXPECT_EQ(errno_error(EIO, "write").code, ErrorCode::io_error);
  EXPECT_EQ(errno_error(EACCES, "open").code, ErrorCode::io_error);
}

TEST(Error, of_errno_says_what_was_tried_and_why_it_failed) {
  const Error error = errno_error(ENOENT, "open /data/lock");
  EXPECT_EQ(error.message, "open /data/lock: No such file or directory");
}

TEST(Error, fail_makes_a_result_without_a_value) {
  const Result<int> odd = half(3);
  ASSERT_FALSE(odd.has_value());
  EXPECT_EQ(odd.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(odd.error().message, "odd");
  EXPECT_EQ(half(4).value(), 2);
  const Status status = fail_errno(ENOSPC, "fsync");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::no_space);
}

Status both_even(int first, int second) {
  WEIR_TRY(half(first));
  WEIR_TRY(half(second));
  return {};
}

TEST(Error, try_returns_the_first_error_from_the_function_around_it) {
  EXPECT_TRUE(both_even(2, 4).has_value());
  EXPECT_FALSE(both_even(1, 4).has_value());
  const Status second = both_even(2, 5);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message, "odd");
}

TEST(Error, every_code_has_its_own_name) {
  std::set<std::string_view> names;
  const int count = static_cast<int>(ErrorCode::config) + 1;
  for (int code = 0; code < count; ++code) {
    const std::string_view name = to_string(static_cast<ErrorCode>(code));
    EXPECT_NE(name, "unknown") << code;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace weir
