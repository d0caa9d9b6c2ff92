"""What it is: proof that tools/check_format.py and tools/check_headers.py find what they are for, and that a stamp
does not hide a later fault."""

import unittest

from temporary_tree import TreeTest

import check_format
import check_headers


class FormatTest(TreeTest):
    def setUp(self):
        super().setUp()
        self.write(".clang-format", "BasedOnStyle: Google\n")

    def test_a_file_in_the_style_passes_and_one_that_is_not_is_named(self):
        self.write("src/good.cpp", "int x = 1;\n")
        self.assertEqual(check_format.check(self.root), [])
        self.write("src/bad.cpp", "int  x=1;\n")
        self.assert_one_problem(check_format.check(self.root), "src/bad.cpp:1")

    def test_a_file_that_passed_is_looked_at_again_when_it_or_the_style_changes(self):
        build = self.root / "build"
        self.write("src/a.cpp", "int x = 1;\n")
        self.assertEqual(check_format.check(self.root, build), [])
        self.write("src/a.cpp", "int  x = 1;\n")
        self.assertEqual(len(check_format.check(self.root, build)), 1)
        self.write("src/a.cpp", "void f() {\n  g();\n  h();\n}\n")
        self.assertEqual(check_format.check(self.root, build), [])
        self.write(".clang-format", "BasedOnStyle: Google\nIndentWidth: 4\n")
        self.assertEqual(len(check_format.check(self.root, build)), 1)


class HeadersTest(TreeTest):
    def setUp(self):
        super().setUp()
        self.build = self.root / "build"
        self.write("src/base/size.h", "#pragma once\n#include <cstddef>\nusing Size = std::size_t;\n")

    def test_a_header_that_includes_what_it_needs_passes(self):
        self.write("src/base/user.h", '#pragma once\n#include "base/size.h"\ninline Size twice(Size s) { return 2 * s; }\n')
        self.assertEqual(check_headers.check(self.root), [])

    def test_a_header_that_relies_on_its_includer_is_found(self):
        self.write("src/base/user.h", "#pragma once\nstruct User { std::string name; };\n")
        self.assert_one_problem(check_headers.check(self.root), "src/base/user.h", "does not compile alone")

    def test_what_passed_is_compiled_again_when_a_header_below_it_changes(self):
        self.write("src/base/user.h", '#pragma once\n#include "base/size.h"\ninline Size twice(Size s) { return 2 * s; }\n')
        self.assertEqual(check_headers.check(self.root, self.build), [])
        self.write("src/base/size.h", "#pragma once\n")
        self.assert_one_problem(check_headers.check(self.root, self.build), "src/base/user.h")

    def test_what_failed_is_not_remembered_as_passed(self):
        self.write("src/base/bad.h", "#pragma once\nint f( {\n")
        for _ in range(2):
            self.assert_one_problem(check_headers.check(self.root, self.build), "src/base/bad.h")


if __name__ == "__main__":
    unittest.main()
