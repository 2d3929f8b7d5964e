"""tools/gdb/ntio.py: breakpoints by name in drivers, source lines, stacks across drivers and the runtime, what the commands show."""
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import DRIVERS, NTIO, NtioTest

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "gdb", "ntio.py")
SKIPPED = 77  # what CTest counts as skipped
# The leak check of AddressSanitizer cannot run below a debugger.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")


def may_attach():
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope") as file:
            return os.geteuid() == 0 or file.read().strip() == "0"
    except OSError:
        return True


class Gdb(NtioTest):
    def setUp(self):
        super().setUp()
        self.image = self.make_image(16, 16)

    def gdb(self, commands, *arguments):
        script = self.path("commands.gdb")
        with open(script, "w") as file:
            file.write("set pagination off\nset width 0\nset print thread-events off\n" + "\n".join(commands) + "\n")
        command = ["gdb", "-nx", "-batch", "-x", SCRIPT, "-x", script, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=280, env=ENVIRONMENT, errors="replace")
        return result.stdout + result.stderr

    def frames(self, text):
        """The function names of the stacks in `text`."""
        return re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(.+?) \(", text, re.M)

    def in_order(self, names, *wanted):
        rest = iter(names)
        for name in wanted:
            self.assertTrue(any(name == found.split("<")[0] for found in rest), f"{name} is missing, or not in this place: {names}")

    def test_a_breakpoint_in_fat(self):
        text = self.gdb(["break fat::Create", "run", "bt", "list", "next", "next", "info locals", "finish"],
                        "--args", NTIO, "ls", "--disk", self.image)
        self.assertRegex(text, r"hit Breakpoint 1(\.\d+)?, fat::Create \(context=.*\) at .*/drivers/fat/create\.cc:\d+")
        # From the driver through the call boundary and the runtime to the program, and nothing unknown between.
        names = self.frames(text)
        self.in_order(names, "fat::Create", "FatDispatch", "nt::CallDriver", "nt::io::CallDriver", "nt::io::NtCreateFile",
                      "ntio::Machine::OpenNt", "main")
        self.assertNotIn("??", names)
        self.assertNotIn("Backtrace stopped", text)
        self.assertIn("NTSTATUS Create(IrpContext& context)", text)  # list
        self.assertRegex(text, r"Value returned is \$1 = 0")

    def test_a_callback_from_the_runtime_into_the_driver(self):
        text = self.gdb(["break ReadFromDisk", "run", "bt"], "--args", NTIO, "ls", "--disk", self.image)
        # The driver called Cc, which sent a paging read to the driver.
        self.in_order(self.frames(text), "fat::(anonymous namespace)::ReadFromDisk", "fat::Read", "FatDispatch", "nt::io::CallDriver",
                      "nt$CcMapData", "fat::seh::MapData", "FatDispatch", "main")

    def test_commands_show_objects(self):
        text = self.gdb(["break fat::Create", "run", "ntio images", "ntio irp context.irp", "ntio devobj context.device",
                         "ntio drvobj context.device->DriverObject", "python print(gdb.execute('ntio irp 16', to_string=True))"],
                        "--args", NTIO, "ls", "--disk", self.image)
        self.assertRegex(text, r"0x7a10\w+-0x7a10\w+  .*fat\.sys")
        self.assertRegex(text, r"Irp 0x7a2\w+: \d+ stack locations, the current one is \d+")
        self.assertRegex(text, r">  *\d+  IRP_MJ_CREATE, minor 0")
        self.assertRegex(text, r"device 0x7a2\w+ \\FileSystem\\fat, file 0x7a2")
        self.assertRegex(text, r"Device 0x7a2\w+: driver 0x7a2\w+ \\FileSystem\\fat, type 0x8")
        self.assertRegex(text, r"Driver 0x7a2\w+ \\FileSystem\\fat: image 0x7a10")
        self.assertRegex(text, r"IRP_MJ_READ +0x7a10\w+ FatDispatch")
        self.assertRegex(text, r"FastIoRead +0x\w+ nt\$FsRtlCopyRead")
        self.assertIn("ntio: 0x10 is no _IRP: Cannot access memory", text)

    def test_the_program_can_be_run_again(self):
        text = self.gdb(["break fat::Create", "run", "delete", "break FatUnload", "continue", "continue", "delete", "run", "break fat::Create",
                         "run", "bt 1"], "--args", NTIO, "ls", "--disk", self.image)
        self.assertRegex(text, r"Breakpoint \d+(\.\d+)?, FatUnload \(")
        self.assertEqual(text.count("exited normally"), 2, text)
        self.assertEqual(self.frames(text)[0], "fat::Create")

    @unittest.skipUnless(may_attach(), "ptrace_scope forbids attaching")
    def test_a_driver_that_hangs(self):
        driver = os.path.join(DRIVERS, "faulty_entry_3.sys")
        command = [NTIO, "ls", "--disk", self.image, "--fs", driver, "--entry-timeout", "250"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        text = ""
        while "in DriverEntry (" not in text and time.monotonic() < deadline:  # until it got there
            text = self.gdb(["thread apply all bt"], "-p", str(process.pid))
        self.assertRegex(text, r"DriverEntry \(.*\) at .*/faulty\.c:\d+")


if __name__ == "__main__":
    if not shutil.which("gdb"):
        print("SKIPPED: gdb is not installed; tools/install-deps.sh test installs it", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
