"""Shows that structure.py finds each kind of fault, on made-up trees."""

import pathlib
import tempfile
import unittest

import structure

GOOD = {
    ".gitignore": "/build/\n/build-*/\n/data/\n",
    "CMakeLists.txt": "project(made_up)\n",
    "README.md": "Type `./dev build`.\n",
    "dev": "command_build() {\n  :\n}\n",
    "build-asan/x.hpp": "#include <nothing.hpp>\n",
    "actors/README.md": "",
    "actors/a.hpp": '#include "persistence/p.hpp"\n#include <caf/all.hpp>\n',
    "bench/README.md": "",
    "bench/b.cpp": '#include "actors/a.hpp"\n#include "bench/b.hpp"\n',
    "bench/b.hpp": "#include <boost/asio.hpp>\n",
    "persistence/README.md": "",
    "persistence/p.hpp": '#include "protocol/q.hpp"\n#include <rocksdb/db.h>\n',
    "protocol/README.md": "",
    "protocol/q.hpp": '#include "protocol/q.pb.h"\n\n#include <string>\n',
    "protocol/q.proto": "",
    "protocol/client/c.hpp": "#include <sys/socket.h>\n",
    "tests/README.md": "",
    "tests/t.cpp": '#include "bench/b.hpp"\n#include <caf/all.hpp>\n',
}


def faults_with(changes):
    """The faults of the good tree with these files put in or, None, out."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in {**GOOD, **changes}.items():
            if text is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        return list(structure.faults(root))


class Structure(unittest.TestCase):
    def finds(self, path, text, *found):
        got = faults_with({path: text})
        self.assertEqual(len(got), 1, got)
        for part in found:
            self.assertIn(part, got[0])

    def test_a_good_tree_has_no_fault(self):
        self.assertEqual(faults_with({}), [])

    def test_arrows_run_one_way(self):
        for path, included in [
            ("protocol/x.cpp", "persistence/p.hpp"),
            ("protocol/x.cpp", "actors/a.hpp"),
            ("protocol/client/x.cpp", "actors/a.hpp"),
            ("persistence/deep/x.cpp", "actors/a.hpp"),
            ("protocol/x.cpp", "bench/b.hpp"),
            ("persistence/x.hpp", "bench/b.hpp"),
            ("actors/deep/x.hpp", "bench/b.hpp"),
        ]:
            with self.subTest(path=path, included=included):
                line = f'#include <string>\n#include "{included}"\n'
                self.finds(path, line, f"{path}:2:", "may not", included)

    def test_nobody_but_bench_and_tests_includes_tests(self):
        for folder in ["actors", "persistence", "protocol"]:
            got = faults_with(
                {
                    f"{folder}/x.hpp": '#include "tests/t.hpp"\n',
                    "tests/t.hpp": "",
                    "bench/x.hpp": '#include "tests/t.hpp"\n',
                }
            )
            self.assertEqual(len(got), 1, got)
            self.assertIn(f"{folder}/x.hpp:1:", got[0])

    def test_libraries_stay_in_their_rooms(self):
        for path, library in [
            ("protocol/x.hpp", "caf/all.hpp"),
            ("protocol/x.hpp", "boost/asio.hpp"),
            ("protocol/x.hpp", "boost/asio/ip/tcp.hpp"),
            ("protocol/x.hpp", "boost/beast.hpp"),
            ("protocol/x.hpp", "rocksdb/db.h"),
            ("protocol/x.hpp", "sys/socket.h"),
            ("protocol/xmpp/x.hpp", "boost/asio/buffer.hpp"),
            ("protocol/client/x.hpp", "caf/all.hpp"),
            ("protocol/client/x.hpp", "rocksdb/db.h"),
            ("persistence/x.hpp", "caf/all.hpp"),
            ("persistence/x.hpp", "boost/asio/io_context.hpp"),
            ("protocol/x.hpp", "expat.h"),
            ("actors/x.hpp", "expat.h"),
            ("tests/x.hpp", "expat.h"),
        ]:
            with self.subTest(path=path, library=library):
                self.finds(path, f"  #  include <{library}>\n", path, library)

    def test_an_include_cannot_evade(self):
        for line in [
            '"../actors/a.hpp"',
            '"a.hpp"',
            '"actors/absent.hpp"',
            '"actors/absent.pb.h"',
            "<actors/a.hpp>",
            "SOME_MACRO",
        ]:
            with self.subTest(line=line):
                self.finds("actors/x.hpp", f"#include {line}\n", "x.hpp:1:")

    def test_the_top_level_holds_its_list_and_nothing_else(self):
        self.finds("scripts/x", "", "scripts", "no place")
        self.finds("NOTES", "", "NOTES", "no place")
        self.finds("dev", None, "dev", "missing")
        self.finds("CMakeLists.txt", None, "CMakeLists.txt", "missing")

    def test_every_top_folder_has_a_readme(self):
        self.finds("bench/README.md", None, "bench/README.md")

    def test_no_file_is_too_long(self):
        self.assertEqual(faults_with({"actors/x.cpp": "\n" * 500}), [])
        self.finds("actors/x.cpp", "\n" * 501, "actors/x.cpp", "501")
        self.finds("tests/x.py", "\n" * 501, "tests/x.py", "501")

    def test_a_readme_names_no_command_that_is_not_there(self):
        self.finds("tests/README.md", "Run `./dev fly`.\n", "README.md:1:", "fly")


if __name__ == "__main__":
    unittest.main()
