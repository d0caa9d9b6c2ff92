#include "base/assert.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(AssertDeathTest, a_broken_invariant_aborts_and_names_expression_and_place) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const int count = 3;
  EXPECT_DEATH(WEIR_ASSERT(count == 4), "assertion failed: count == 4(.|\n)*assert_test.cpp");
}

TEST(Assert, evaluates_its_expression_once_and_goes_on_when_it_holds) {
  int evaluated = 0;
  WEIR_ASSERT(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

}  // namespace
}  // namespace weir
