#!/usr/bin/env python3
"""Shows that each rule of tidy.py finds what it is for, and lets pass what it must."""
import os
import tempfile
import unittest

import tidy


class TidyTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8", newline="") as file:
                    file.write(text)
            return [(path, number, message) for path, number, message in tidy.check_tree(root)
                    if "README" not in message and "CMakeLists" not in message]

    def assert_finds(self, path, text, word, others=None):
        found = self.findings({path: text, **(others or {})})
        self.assertTrue(any(word in message for _, _, message in found), f"{word!r} not in {found}")

    def assert_clean(self, path, text, others=None):
        self.assertEqual([], self.findings({path: text, **(others or {})}))

    def test_linux_outside_of_host(self):
        for header in ("pthread.h", "thread", "mutex", "chrono", "unistd.h", "sys/mman.h", "fstream", "random", "ctime"):
            self.assert_finds("src/ke/a.cc", f"#include <{header}>\n", "src/host only")
            self.assert_clean("src/host/a.cc", f"#include <{header}>\n")
            self.assert_clean("src/ke/a_test.cc", f"#include <{header}>\n")
            self.assert_clean("front/cli/a.cc", f"#include <{header}>\n")
        for call in ("std::thread t;", "x = rand();", "fopen(name, mode);", "mmap(0, 1);", "syscall(1);", "time(nullptr);",
                     "pthread_self();", "std::chrono::seconds s;", "getenv(name);", "std::fprintf(stderr, x);"):
            self.assert_finds("src/cc/a.cc", call + "\n", "src/host only")

    def test_words_that_only_look_so(self):
        for text in ("// std::thread, rand()\n", 'const char* a = "mmap(";\n', "/* fopen(\n*/ int b;\n", "object.raise(1);\n",
                     "ex::random(1);\n", "int x = brand(1);\n", "int big = 1'000'000;\n", "p->time(nullptr);\n"):
            self.assert_clean("src/cc/a.cc", text)

    def test_line_numbers_survive_comments(self):
        self.assertEqual([("src/cc/a.cc", 4)],
                         [(path, number) for path, number, _ in self.findings({"src/cc/a.cc": "/*\n\n*/\nrand();\n"})])

    def test_loader_may_read_registers(self):
        self.assert_clean("src/ldr/fault.cc", "#include <ucontext.h>\n")
        self.assert_finds("src/ldr/fault.cc", "#include <sys/mman.h>\n", "src/host only")

    def test_siblings_include_the_front_door(self):
        others = {"src/cc/internal.h": "\n", "src/cc/cc.h": "int a;\n", "src/ke/thread.h": "int a;\n"}
        others["src/cc/internal.h"] = "int a;\n"
        self.assert_finds("src/io/a.cc", '#include "src/cc/internal.h"\n', "internal to src/cc", others)
        self.assert_clean("src/io/a.cc", '#include "src/cc/cc.h"\n', others)
        self.assert_clean("src/io/a.cc", '#include "src/ke/thread.h"\n', others)
        self.assert_clean("src/cc/a.cc", '#include "src/cc/internal.h"\n', others)
        self.assert_finds("src/cc/a.cc", '#include "src/cc/gone.h"\n', "does not exist", others)

    def test_drivers_include_the_wdk(self):
        others = {"include/wdk/ntifs.h": "int a;\n", "drivers/fat/fat.h": "int a;\n", "src/cc/cc.h": "int a;\n"}
        self.assert_clean("drivers/fat/a.cc", "#include <ntifs.h>\n#include \"fat.h\"\n#include <stdint.h>\n", others)
        self.assert_finds("drivers/fat/a.cc", '#include "src/cc/cc.h"\n', "not in include/wdk", others)
        self.assert_finds("drivers/fat/a.cc", "#include <vector>\n", "not in include/wdk", others)
        self.assert_finds("drivers/mem/a.cc", '#include "../fat/fat.h"\n', "another driver", others)

    def test_text(self):
        self.assert_finds("src/cc/a.cc", "int a; \n", "end of the line")
        self.assert_finds("src/cc/a.cc", "int a;\r\n", "carriage return")
        self.assert_finds("src/cc/a.cc", "\tint a;\n", "tab")
        self.assert_finds("src/cc/a.cc", "int a;", "newline")
        self.assert_finds("src/cc/a.cc", "int a;\n" * 901, "split it")
        self.assert_clean("include/wdk/a.h", "int a;\n" * 901)
        self.assert_finds("README.md", "see /home/someone/x\n", "one machine")
        self.assert_clean("README.md", "see tests/home/someone and /tmp/image\n")

    def test_every_source_is_built(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "src/ke"))
            for name, text in {"a.cc": "", "b.cc": "", "CMakeLists.txt": "ntio_component(ke SOURCES a.cc)\n"}.items():
                with open(os.path.join(root, "src/ke", name), "w", encoding="utf-8") as file:
                    file.write(text)
            found = [(path, message) for path, _, message in tidy.check_tree(root)]
            self.assertIn(("src/ke/b.cc", "is in no CMakeLists.txt of its component"), found)
            self.assertNotIn("src/ke/a.cc", [path for path, _ in found])
            self.assertIn(("src/ke/", "no README.md"), found)


if __name__ == "__main__":
    unittest.main()
