"""cmake --install, moved elsewhere afterwards: the installed program finds its drivers, and an outside project (examples/greeter)
builds a driver and a test that boots a machine, from the CMake package alone."""
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import BUILD, NtioTest

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
WINDOWS_HEADERS = ("wdm.h", "ntddk.h", "ntifs.h", "ntstatus.h", "ntstrsafe.h", "nt/fsrtl.h")


class Install(NtioTest):
    def setUp(self):
        super().setUp()
        # No word of the build: what is installed must do alone.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("NTIO_")}

    def command(self, *command, expect=0):
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=self.environment)
        self.assertEqual(result.returncode, expect, f"$ {' '.join(map(str, command))}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def test_an_outside_project(self):
        first, prefix = self.path("first"), self.path("a moved prefix")
        self.command("cmake", "--install", os.path.realpath(BUILD), "--prefix", first)
        os.rename(first, prefix)

        for name in WINDOWS_HEADERS:
            self.assertTrue(os.path.isfile(os.path.join(prefix, "include", "ntio", "wdk", name)), name)
        self.assertTrue(os.path.isfile(os.path.join(prefix, "include", "ntio", "machine.h")))
        self.assertTrue(os.path.isfile(os.path.join(prefix, "share", "ntio", "gdb", "ntio.py")))
        drivers = [name for _, _, names in os.walk(prefix) for name in names if name.endswith(".sys")]
        self.assertIn("fat.sys", drivers)
        self.assertFalse([name for name in drivers if "faulty" in name or "missing" in name], "drivers of the tests are no product")

        # The program, through a link as /usr/local/bin often is, reads an image with the shipped driver.
        program = self.path("ntio")
        os.symlink(os.path.join(prefix, "bin", "ntio"), program)
        self.assertIn("would load", self.command(program, "info", "fat"))
        image = self.make_image(16, 16)
        text = self.path("hello.txt")
        with open(text, "w") as file:
            file.write("hello\n")
        self.command(program, "cp", "--disk", image, text, ":/hello.txt")
        self.assertEqual(self.command(program, "cat", "--disk", image, ":/hello.txt"), "hello\n")

        project, build = self.path("greeter"), self.path("greeter build")
        shutil.copytree(os.path.join(SOURCE, "examples", "greeter"), project)
        self.command("cmake", "-G", "Ninja", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
                     f"-DCMAKE_CXX_COMPILER={os.environ.get('NTIO_CXX', 'c++')}")
        self.command("cmake", "--build", build)
        self.assertIn("ninja: no work to do", self.command("cmake", "--build", build))
        tests = self.command("ctest", "--test-dir", build, "--no-tests=error", "--output-on-failure")
        self.assertIn("100% tests passed, 0 tests failed out of 3", tests)

        # ntio-cc as a command, from the moved prefix.
        driver = self.path("by hand.sys")
        self.command(os.path.join(prefix, "bin", "ntio-cc"), "-I", os.path.join(project, "include"), "-D", 'GREETER_TEXT="x"',
                     "-o", driver, os.path.join(project, "greeter.c"))
        self.assertIn("would load", self.command(program, "info", driver))


if __name__ == "__main__":
    unittest.main()
