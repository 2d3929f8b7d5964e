"""tools/ntio-cc, as a user types it: what it builds, what it says about bad input."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = os.environ["NTIO_BUILD_DIR"]
NTIO_CC = os.environ.get("NTIO_CC") or os.path.join(os.path.dirname(__file__), "..", "..", "tools", "ntio-cc")
NTIO = os.path.join(BUILD, "bin", "ntio")

DRIVER_C = """
#include <ntifs.h>
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(DriverObject);
  UNREFERENCED_PARAMETER(RegistryPath);
  return STATUS_SUCCESS;
}
"""
DESTRUCTOR_CC = """
#include <ntifs.h>
struct Guard {
  PVOID memory;
  ~Guard();
};
Guard::~Guard() { ExFreePool(memory); }
extern "C" NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT, PUNICODE_STRING) {
  Guard guard{ExAllocatePoolWithTag(NonPagedPool, 16, 'abcd')};
  KeEnterCriticalRegion();
  return STATUS_SUCCESS;
}
"""
FAULT_IN_TRY = """
#include <ntifs.h>
LONG Read(volatile LONG* p) { __try { return *p; } __except (EXCEPTION_EXECUTE_HANDLER) { return 0; } }
"""


class NtioCc(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ntio-cc-test-")
        self.addCleanup(shutil.rmtree, self.directory)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def run_cc(self, *arguments, expect=0, sysroot=True, **environment):
        command = [sys.executable, NTIO_CC, *(["--sysroot", BUILD] if sysroot else []), *arguments]
        variables = {k: v for k, v in os.environ.items() if not k.startswith("NTIO_")}
        result = subprocess.run(command, capture_output=True, text=True, cwd=self.directory, env={**variables, **environment})
        self.assertEqual(result.returncode, expect, f"$ {' '.join(command)}\n{result.stdout}{result.stderr}")
        self.assertNotIn("Traceback", result.stderr)
        return result

    def assert_would_load(self, driver):
        text = subprocess.run([NTIO, "info", driver], capture_output=True, text=True).stdout
        self.assertIn("would load", text)

    def test_help_names_every_option(self):
        text = self.run_cc("--help", sysroot=False).stdout
        for word in ("usage: ntio-cc", "--depfile", "--sysroot", "-isystem", "NTIO_CLANG", "NTIO_LLD_LINK", "DriverEntry"):
            self.assertIn(word, text)
        self.assertNotIn("None", text)

    def test_c_driver(self):
        self.write("a.c", DRIVER_C)
        self.run_cc("-Wall", "-Werror", "-o", "out/a.sys", "a.c")  # the directory is made
        self.assert_would_load(os.path.join(self.directory, "out", "a.sys"))

    def test_objects_and_libraries_are_linked(self):
        self.write("a.c", "#include <ntifs.h>\nNTSTATUS Other(void);\n" + DRIVER_C.replace("STATUS_SUCCESS", "Other()"))
        self.write("b.c", "#include <ntifs.h>\nNTSTATUS Other(void);\nNTSTATUS Other(void) { return STATUS_SUCCESS; }\n")
        self.run_cc("-c", "b.c")
        self.run_cc("-o", "a.sys", "a.c", "b.obj")
        self.assert_would_load(os.path.join(self.directory, "a.sys"))

    def test_cxx_objects_with_destructors_need_no_option(self):
        self.write("d.cc", DESTRUCTOR_CC)
        self.run_cc("-o", "d.sys", "d.cc")
        self.assert_would_load(os.path.join(self.directory, "d.sys"))
        error = self.run_cc("-fasync-exceptions", "-o", "d.sys", "d.cc", expect=1).stderr
        self.assertIn("__CxxFrameHandler3", error)

    def test_try_covers_faults_in_c_and_on_request_in_cxx(self):
        for source, options, covered in (("f.c", [], True), ("f.cc", [], False), ("f.cc", ["-fasync-exceptions"], True)):
            self.write(source, FAULT_IN_TRY)
            self.run_cc(*options, "-c", "-o", "f.obj", source)
            with open(os.path.join(self.directory, "f.obj"), "rb") as file:
                self.assertEqual(b"__C_specific_handler" in file.read(), covered, (source, options))

    def test_includes_in_any_case(self):
        self.write("inc/Sub/MixedCase.h", "#define MIXED STATUS_SUCCESS\n")
        self.write("src/Local.h", "#define LOCAL 1\n")
        source = '#include <NtIfs.H>\n#include "mixedcase.H"\n#include "SUB\\mixedCASE.h"\n#include "LOCAL.h"\n#if LOCAL\n'
        self.write("src/a.c", source + DRIVER_C.replace("STATUS_SUCCESS", "MIXED") + "#endif\n")
        self.run_cc("-o", "a.sys", "-I", "inc", "-I", "inc/Sub", "src/a.c")

    def test_paths_with_spaces(self):
        self.write("my driver/own include/part one.h", "#define PART STATUS_SUCCESS\n")
        self.write("my driver/the source.c", '#include "PART ONE.h"\n' + DRIVER_C.replace("STATUS_SUCCESS", "PART"))
        self.run_cc("-o", "my output/my driver.sys", "-I", "my driver/own include", "--depfile", "my driver.d",
                    "my driver/the source.c")
        self.assert_would_load(os.path.join(self.directory, "my output", "my driver.sys"))
        with open(os.path.join(self.directory, "my driver.d")) as file:
            rule = file.read()
        self.assertTrue(rule.startswith("my\\ output/my\\ driver.sys:"), rule)
        self.assertIn("part\\ one.h", rule.lower())
        self.assertIn("the\\ source.c", rule)

    def test_arguments_that_are_passed_on(self):
        self.write("a.c", DRIVER_C.replace("STATUS_SUCCESS", "VALUE"))
        self.run_cc("-o", "a.sys", "-X", "-DVALUE=STATUS_SUCCESS", "--link-argument", "/map:a.map", "a.c")
        with open(os.path.join(self.directory, "a.map")) as file:
            self.assertIn("DriverEntry", file.read())

    def test_bad_command_lines(self):
        self.write("a.c", DRIVER_C)
        self.write("b.txt", "")
        for arguments, code, words in (
                ([], 2, "no input files"),
                (["a.c"], 2, "-o is missing"),
                (["-c", "a.c", "a.c"], 2, "-c takes one source"),
                (["-o", "a.sys", "--no-such-option", "a.c"], 2, "--no-such-option"),
                (["-o", "a.sys", "missing.c"], 1, "missing.c: no such file"),
                (["-o", "a.sys", "."], 1, ".: no such file"),
                (["-o", "a.sys", "b.txt"], 1, "b.txt: neither source, object nor library"),
                (["-o", "a.c/a.sys", "a.c"], 1, "a.c/a.sys:"),
                (["-o", "a.sys", "-l", "nosuchlibrary", "a.c"], 1, "nosuchlibrary.lib")):
            with self.subTest(arguments=arguments):
                self.assertIn(words, self.run_cc(*arguments, expect=code).stderr)
                self.assertFalse(os.path.exists(os.path.join(self.directory, "a.sys")))

    def test_bad_sources(self):
        self.write("syntax.c", DRIVER_C + "this is no C\n")
        self.assertIn("syntax.c:", self.run_cc("-o", "a.sys", "syntax.c", expect=1).stderr)
        self.write("undeclared.c", DRIVER_C.replace("return", "NoSuchRoutine(); return"))
        self.assertIn("NoSuchRoutine", self.run_cc("-o", "a.sys", "undeclared.c", expect=1).stderr)
        self.write("unknown.c", "void NoSuchImport(void);\n" + DRIVER_C.replace("return", "NoSuchImport(); return"))
        self.assertIn("NoSuchImport", self.run_cc("-o", "a.sys", "unknown.c", expect=1).stderr)

    def test_missing_tools_and_trees(self):
        self.write("a.c", DRIVER_C)
        for environment, words in (
                ({"NTIO_CLANG": "/no/such/clang"}, "NTIO_CLANG names /no/such/clang"),
                ({"NTIO_CLANG": shutil.which("false")}, "does not work as clang"),
                ({"NTIO_LLD_LINK": "/no/such/lld"}, "NTIO_LLD_LINK names /no/such/lld"),
                ({"PATH": self.directory}, "no clang of version 16 or newer; install it or set NTIO_CLANG")):
            with self.subTest(environment=environment):
                self.assertIn(words, self.run_cc("-o", "a.sys", "a.c", expect=1, **environment).stderr)
        error = self.run_cc("-o", "a.sys", "--sysroot", self.directory, "a.c", expect=1, sysroot=False).stderr
        self.assertIn(f"{self.directory} is neither a build directory nor an install directory of ntio", error)
        alone = shutil.copy(NTIO_CC, self.directory)
        result = subprocess.run([sys.executable, alone, "-o", "a.sys", "a.c"], cwd=self.directory, capture_output=True, text=True,
                                env={"PATH": os.environ["PATH"]})
        self.assertEqual(result.returncode, 1)
        self.assertIn("build it first (./build.sh), or give --sysroot DIRECTORY", result.stderr)


if __name__ == "__main__":
    unittest.main()
