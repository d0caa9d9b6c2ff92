#include "app/definitions_apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::app {
namespace {

using testing::HasSubstr;

TEST(ReadDefinitionsFile, a_file_that_is_not_there_is_a_mistake_in_the_settings) {
  const auto file = read_definitions_file("/nowhere/at/all.json", "/");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::config);
  EXPECT_THAT(file.error().message, HasSubstr("/nowhere/at/all.json: can't read the file"));
}

}  // namespace
}  // namespace weir::app
