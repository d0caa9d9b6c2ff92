#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

TEST(ProgressBar, a_line_has_what_how_far_and_what_else_there_is_to_tell) {
  EXPECT_EQ(progress_text("searching", 0.5, "3 found", 100),
            "searching  [████████████▌            ]  50 %  3 found");
}

TEST(ProgressBar, it_is_no_wider_than_the_terminal_and_never_over_the_end) {
  EXPECT_EQ(cells_of(progress_text("searching", 7, "a long story", 30)), 30U);
  EXPECT_NE(progress_text("x", 7, "", 80).find("100 %"), std::string::npos);
  EXPECT_NE(progress_text("x", -1, "", 80).find("  0 %"), std::string::npos);
}

TEST(ProgressBar, what_is_told_can_do_nothing_to_the_terminal) {
  EXPECT_EQ(progress_text("x", 0, "\x1b[2J", 80).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace weir::cli
