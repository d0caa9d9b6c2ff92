"""What it is: proof that tools/check_layers.py finds what it is for, and accepts what is right."""

import unittest

from temporary_tree import ROOT, TreeTest

import check_layers

RULES = """
# comment
base             :
broker           : base
runtime          : base
protocol/*/codec : base
protocol/common  : base
protocol/*       : base protocol/common protocol/SELF/codec VALUES
protocol/sqs     : + protocol/http
app              : *
VALUES = broker/message.h
ban asio io_uring : everywhere but runtime
ban co_await : base storage/record
ban throw : everywhere but app
"""


class LayersTest(TreeTest):
    def setUp(self):
        super().setUp()
        self.write("src/layers.txt", RULES)
        for path in ("base/bytes.h", "broker/message.h", "broker/queue.h", "runtime/loop.h", "protocol/a/codec/frame.h",
                     "protocol/a/session.h", "protocol/b/codec/frame.h", "protocol/http/parser.h",
                     "protocol/common/mapping.h"):
            self.write(f"src/{path}", "#pragma once\n")

    def problems(self, path, text):
        self.write(path, text)
        return check_layers.check(self.root)

    def test_a_tree_that_follows_the_rules_has_no_problems(self):
        self.write("src/broker/queue.cpp", '#include "base/bytes.h"\n#include "broker/message.h"\n#include <vector>\n')
        self.write("src/protocol/a/session.cpp", '#include "protocol/a/codec/frame.h"\n#include "broker/message.h"\n'
                   '#include "protocol/common/mapping.h"\n#include "protocol/a/session.h"\n')
        self.write("src/app/main.cpp", '#include "protocol/b/codec/frame.h"\n#include "broker/queue.h"\nint x = throw 1;\n')
        self.write("src/runtime/loop.cpp", "#include <boost/asio.hpp>\nasio::io_context io; io_uring ring;\n")
        self.assertEqual(check_layers.check(self.root), [])

    def test_a_folder_may_not_include_one_above_it(self):
        problems = self.problems("src/base/up.cpp", '\n#include "broker/message.h"\n')
        self.assert_one_problem(problems, "src/base/up.cpp:2", "base may not include")

    def test_the_broker_may_not_include_the_runtime(self):
        self.assert_one_problem(self.problems("src/broker/x.cpp", '#include "runtime/loop.h"\n'), "runtime/loop.h")

    def test_a_front_end_may_not_include_another_nor_its_codec(self):
        self.assert_one_problem(self.problems("src/protocol/b/x.cpp", '#include "protocol/a/session.h"\n'), "protocol/b")
        self.assert_one_problem(self.problems("src/protocol/b/x.cpp", '#include "protocol/a/codec/frame.h"\n'), "codec")

    def test_a_codec_may_not_include_its_own_front_end(self):
        self.assert_one_problem(self.problems("src/protocol/a/codec/x.cpp", '#include "protocol/a/session.h"\n'),
                                "protocol/a/codec may not include")

    def test_a_front_end_may_include_plain_values_of_the_broker_and_nothing_else_of_it(self):
        self.assertEqual(self.problems("src/protocol/a/x.cpp", '#include "broker/message.h"\n'), [])
        self.assert_one_problem(self.problems("src/protocol/a/x.cpp", '#include "broker/queue.h"\n'), "broker/queue.h")

    def test_a_plus_line_adds_to_the_general_one(self):
        self.assertEqual(self.problems("src/protocol/sqs/x.cpp", '#include "protocol/http/parser.h"\n'
                                       '#include "protocol/common/mapping.h"\n'), [])
        self.assert_one_problem(self.problems("src/protocol/b/x.cpp", '#include "protocol/http/parser.h"\n'), "http")

    def test_an_include_path_starts_below_src(self):
        self.assert_one_problem(self.problems("src/base/x.cpp", '#include "bytes.h"\n'), "not a file below src")

    def test_a_file_outside_of_every_named_folder_is_a_problem(self):
        self.assert_one_problem(self.problems("src/misc/x.cpp", "int x;\n"), "no folder that layers.txt names")

    def test_a_banned_library_is_found_by_include_by_name_and_by_prefix(self):
        self.assert_one_problem(self.problems("src/broker/x.cpp", "#include <boost/asio/post.hpp>\n"), "asio")
        self.assert_one_problem(self.problems("src/broker/x.cpp", "\nusing asio::post;\n"), "src/broker/x.cpp:2")
        self.assert_one_problem(self.problems("src/broker/x.cpp", "void f() { io_uring_submit(0); }\n"), "io_uring")

    def test_comments_and_strings_do_not_count(self):
        self.assertEqual(self.problems("src/broker/x.cpp", '// throw asio\n/* co_await\n throw */ auto s = "throw";\n'
                                       'auto r = R"(throw " asio)"; auto n = 1\'000; char c = \'"\';\n'), [])

    def test_throw_and_co_await_are_banned_where_the_rules_say(self):
        self.assert_one_problem(self.problems("src/broker/x.cpp", "void f() { throw 1; }\n"), "throw is banned")
        self.assertEqual(self.problems("src/broker/x.cpp", "void f() { co_await g(); }\n"), [])
        self.assert_one_problem(self.problems("src/base/x.cpp", "void f() { co_await g(); }\n"), "co_await is banned")

    def test_a_ban_can_name_a_file_without_its_suffix(self):
        self.write("src/layers.txt", RULES + "storage : base\n")
        self.assert_one_problem(self.problems("src/storage/record.cpp", "auto x = co_await y;\n"), "co_await")
        (self.root / "src/storage/record.cpp").unlink()
        self.assertEqual(self.problems("src/storage/journal.cpp", "auto x = co_await y;\n"), [])

    def test_a_line_that_is_no_rule_is_refused(self):
        self.write("src/layers.txt", "base\n")
        with self.assertRaises(ValueError):
            check_layers.check(self.root)

    def test_the_real_rules_forbid_what_the_floors_are_for(self):
        rules = check_layers.Rules((ROOT / "src/layers.txt").read_text(encoding="utf-8"))
        for path, target in (("base/x.h", "broker/message.h"), ("broker/x.h", "runtime/loop.h"),
                             ("storage/x.h", "broker/message.h"), ("protocol/amqp091/x.h", "storage/journal.h"),
                             ("protocol/amqp091/x.h", "protocol/mqtt/session.h"), ("node/x.h", "app/settings.h"),
                             ("cli/x.h", "node/session.h"), ("runtime/x.h", "storage/journal.h")):
            self.assertFalse(rules.may_include(tuple(path.split("/")), tuple(target.split("/"))), (path, target))


if __name__ == "__main__":
    unittest.main()
