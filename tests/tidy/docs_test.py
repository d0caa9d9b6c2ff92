"""What it is: proof that tools/check_docs.py finds names of files that are gone."""

import unittest

from temporary_tree import TreeTest

import check_docs


class DocsTest(TreeTest):
    def setUp(self):
        super().setUp()
        self.write("src/base/bytes.h", "")
        self.write("src/protocol/mqtt/README.md", "")
        self.write("scripts/build", "")
        self.write("docs/adr/0001-no-coroutines.md", "")

    def problems(self, text):
        self.write("docs/page.md", text)
        return check_docs.check(self.root)

    def test_paths_that_exist_are_accepted_from_the_root_from_src_and_with_wildcards(self):
        self.assertEqual(self.problems("`scripts/build`, `src/base/`, `base/bytes.h`, `src/protocol/<p>/README.md`, "
                                       "`docs/adr/*.md`, `src/base/bytes.h:12` and [one](adr/0001-no-coroutines.md#why)\n"),
                         [])

    def test_what_is_no_path_of_ours_is_left_alone(self):
        self.assertEqual(self.problems("`application/json`, `/var/lib/weir`, `broker/queue`, `x/y.h`, `a and/or b`, "
                                       "[site](https://example.org/a.md), `build/release/weir`\n"), [])

    def test_a_path_in_backticks_that_does_not_exist_is_found(self):
        self.assert_one_problem(self.problems("text\n\nsee `src/base/gone.h` there\n"), "docs/page.md:3", "gone.h")
        self.assert_one_problem(self.problems("`base/gone.h`\n"), "base/gone.h")
        self.assert_one_problem(self.problems("run `scripts/gone --fast`\n"), "scripts/gone")

    def test_a_pattern_that_matches_nothing_is_found(self):
        self.assert_one_problem(self.problems("`src/protocol/<p>/GONE.md`\n"), "GONE.md")

    def test_a_link_to_a_file_that_does_not_exist_is_found(self):
        self.assert_one_problem(self.problems("[two](adr/0002-gone.md)\n"), "0002-gone.md")

    def test_the_readme_and_the_pages_beside_the_code_are_looked_at_too(self):
        self.write("README.md", "`docs/gone.md`\n")
        self.assert_one_problem(check_docs.check(self.root), "README.md:1")
        self.write("README.md", "fine\n")
        self.write("src/protocol/mqtt/README.md", "`src/gone/`\n")
        self.assert_one_problem(check_docs.check(self.root), "src/protocol/mqtt/README.md:1")


if __name__ == "__main__":
    unittest.main()
