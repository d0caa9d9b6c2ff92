"""What it is: proof that tools/check_style.py finds what it is for, and accepts what is right."""

import unittest

from temporary_tree import TreeTest

import check_style
import source_tree

GOOD_HEADER = """// What it is: a queue.
#pragma once

namespace weir {

class Queue {
 public:
  explicit Queue(int size) : size_(size), copy_{size} {}
  int size() const { return size_; }

 private:
  int size_;
  int copy_;
};

}  // namespace weir
"""


def function_of(lines, signature="int long_one(int x)"):
    return signature + " {\n" + "  ++x;\n" * (lines - 2) + "}\n"


class StyleTest(TreeTest):
    def problems(self, path, text):
        self.write(path, text)
        return check_style.check(self.root)

    def test_good_code_has_no_problems(self):
        self.assertEqual(self.problems("src/broker/queue.h", GOOD_HEADER), [])
        self.assertEqual(self.problems("src/broker/queue.cpp", function_of(80)), [])

    def test_a_file_of_more_than_a_thousand_lines_is_found_in_sources_and_tests(self):
        self.assertEqual(self.problems("tests/unit/broker/queue_test.cpp", "int x;\n" * 1000), [])
        self.assert_one_problem(self.problems("tests/unit/broker/queue_test.cpp", "int x;\n" * 1001), "1001 lines")

    def test_files_that_are_large_on_the_whole_are_found(self):
        for i in range(3):
            self.write(f"src/broker/f{i}.cpp", "int x;\n" * 600)
        problems = check_style.check(self.root)
        self.assertEqual(len(problems), 2, problems)
        self.assertIn("median", problems[0])
        self.assertIn("90%", problems[1])

    def test_a_function_of_more_than_80_lines_is_found_with_its_name(self):
        self.assert_one_problem(self.problems("src/broker/x.cpp", "int y;\n\n" + function_of(81)), "x.cpp:3",
                                "long_one", "81")

    def test_long_functions_are_found_in_classes_and_in_every_kind_of_signature(self):
        for signature in ("void f(int x) const noexcept", "auto f(int x) -> Result<int>", "Thing::Thing(int x) : x_(x)",
                          "Thing::Thing(int x) : a_{1}, b_(x)", "TEST(Queue, is_long)",
                          "Result<std::pair<int, int>> Queue::f(int x,\n    int y)"):
            text = "namespace weir {\nclass A {\n" + function_of(85, signature) + "};\n}\n"
            self.assertEqual(len(self.problems("src/broker/x.cpp", text)), 1, signature)

    def test_a_long_class_or_namespace_or_table_is_not_a_function(self):
        members = "  int f(int x) { return x; }\n" * 100
        self.assertEqual(self.problems("src/broker/x.cpp", "namespace weir {\nclass A : public B {\n" + members + "};\n}\n"),
                         [])
        self.assertEqual(self.problems("src/broker/x.cpp", "const int table[] = {\n" + "  1,\n" * 100 + "};\n"), [])

    def test_braces_in_strings_comments_and_macros_do_not_confuse_it(self):
        text = ('#define OPEN(x) \\\n  do { \\\n    if (x) {\n' + 'void f() { auto s = "{"; char c = \'{\'; /* { */ }  // {\n'
                + "int x;\n" * 100)
        self.assertEqual(self.problems("src/broker/x.cpp", text), [])

    def test_the_functions_of_a_file_are_found_one_by_one(self):
        found = list(check_style.functions("void f() {\n  if (x) {\n  }\n}\nstruct A {\n  int g() { return 1; }\n};\n"))
        self.assertEqual([(first, last) for first, last, _ in found], [(1, 4), (6, 6)])

    def test_names_that_say_nothing_are_found(self):
        for text in ("class QueueManager {};\n", "struct StringUtils {};\n", "using QueueImpl = int;\n",
                     "enum class Helper {};\n"):
            self.assertEqual(len(self.problems("src/broker/x.cpp", text)), 1, text)
        self.assertEqual(self.problems("src/broker/x.cpp", "struct Implied {};\nclass Managed;\n"), [])
        self.assert_one_problem(self.problems("src/broker/queue_utils.cpp", "int x;\n"), "queue_utils.cpp")

    def test_marks_of_unfinished_work_are_found_in_code_scripts_and_documents(self):
        mark = "TO" + "DO"
        for path in ("src/a.cpp", "scripts/build", "docs/HACKING.md", "tools/x.py"):
            self.assert_one_problem(self.problems(path, f"# {mark}: later\n"), path, mark)
            (self.root / path).unlink()

    def test_a_header_says_what_it_is_and_is_included_once(self):
        self.assert_one_problem(self.problems("src/a/b.h", "#pragma once\n"), "What it is")
        self.assert_one_problem(self.problems("src/a/b.h", "// What it is: b.\nint x;\n"), "#pragma once")

    def test_white_space_faults_are_found(self):
        self.assert_one_problem(self.problems("src/a/b.cpp", "int x;"), "newline")
        self.assert_one_problem(self.problems("src/a/b.cpp", "int x;\n\n"), "empty line")
        self.assert_one_problem(self.problems("src/a/b.cpp", "\tint x;\n"), "a tab")
        self.assert_one_problem(self.problems("src/a/b.cpp", "int x; \n"), "white space")
        self.assert_one_problem(self.problems("src/a/b.cpp", "// " + "x" * 140 + "\n"), "columns")

    def test_a_test_that_sleeps_is_found(self):
        text = "void f() { std::this_thread::sleep_for(1s); }\n"
        self.assert_one_problem(self.problems("tests/unit/a/b_test.cpp", text), "never sleeps")

    def test_what_is_built_is_not_looked_at(self):
        self.write("build/dev/x.cpp", "\tno newline")
        self.write("tests/e2e/node/node_modules/x.js", "\tno newline")
        self.assertEqual(check_style.check(self.root), [])

    def test_blanking_keeps_line_numbers(self):
        text = 'a\n/* b\n c */ d "e\\"f"\nR"x(\n)")x" g\n'
        code = source_tree.without_comments_and_strings(text)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertEqual(code.split(), ["a", "d", '""', '""', "g"])


if __name__ == "__main__":
    unittest.main()
