"""Drivers that break: what is reported, and with which exit code."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import BUG_CHECK, DRIVER_DID_NOT_LOAD, DRIVERS, REQUEST_FAILED, NtioTest


class DriverFaults(NtioTest):
    def setUp(self):
        super().setUp()
        self.image = self.make_image(16, 16)

    def run_with(self, driver, expect, *options):
        return self.ntio("ls", "--disk", self.image, "--fs", os.path.join(DRIVERS, driver + ".sys"), *options, expect=expect).stderr

    def assert_report(self, text, driver, *parts):
        self.assertIn("*** STOP", text)
        self.assertIn(driver + ".sys", text)
        for part in parts:
            self.assertIn(part, text)

    def test_entry_fails(self):
        text = self.run_with("faulty_entry_1", DRIVER_DID_NOT_LOAD)
        self.assertIn("STATUS_DEVICE_CONFIGURATION_ERROR", text)
        self.assertIn("faulty_entry_1", text)

    def test_entry_raises(self):
        text = self.run_with("faulty_entry_2", BUG_CHECK)
        self.assert_report(text, "faulty_entry_2", "STATUS_INSUFFICIENT_RESOURCES", "DriverEntry")

    def test_entry_never_returns(self):
        text = self.run_with("faulty_entry_3", BUG_CHECK, "--entry-timeout", "2")
        self.assert_report(text, "faulty_entry_3", "DriverEntry", "THREAD_STUCK_IN_DEVICE_DRIVER",
                           "*** driver: faulty_entry_3.sys")

    def test_null_dereference(self):
        text = self.run_with("faulty_dispatch_1", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_1", "FaultyFsControl", "faulty.c:", "IRP_MJ_FILE_SYSTEM_CONTROL",
                           "0x0000000000000008")
        # As a driver writer reads it: what the parameters mean, where it stopped, with which registers, in which request.
        for part in ("KMODE_EXCEPTION_NOT_HANDLED", "exception code (STATUS_ACCESS_VIOLATION)", "*** driver: faulty_dispatch_1.sys",
                     "faulty_dispatch_1.sys+0x", "rip=", "nt::io::MountVolume", "mount.cc:", "IRP_MN_MOUNT_VOLUME",
                     "requestor kernel", "of faulty_dispatch_1.sys"):
            self.assertIn(part, text)
        for line in text.splitlines():
            if "!nt::io::" in line:
                self.assertNotIn("std::", line)  # names without parameters and template arguments

    def test_divide_by_zero(self):
        text = self.run_with("faulty_dispatch_2", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_2", "FaultyFsControl", "STATUS_INTEGER_DIVIDE_BY_ZERO")

    def test_stack_overflow(self):
        text = self.run_with("faulty_dispatch_3", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_3", "FaultyRecurse", "stack", "more of the same")
        self.assertLess(len(text.splitlines()), 80)

    def test_smashed_frame(self):
        text = self.run_with("faulty_dispatch_4", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_4")

    def test_write_to_code(self):
        text = self.run_with("faulty_dispatch_5", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_5", "FaultyFsControl")

    def test_irp_completed_twice(self):
        text = self.run_with("faulty_dispatch_6", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_6", "MULTIPLE_IRP_COMPLETE_REQUESTS")

    def test_irql_forgotten(self):
        text = self.run_with("faulty_dispatch_7", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_7", "changed the IRQL in its IRP_MJ_FILE_SYSTEM_CONTROL routine")

    def test_failed_assertion(self):
        text = self.run_with("faulty_dispatch_8", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_8", "Assertion failed: never Zero == 1; faulty.c, line 77", "FaultyFsControl")

    def test_breakpoint(self):
        text = self.run_with("faulty_dispatch_9", BUG_CHECK)
        self.assert_report(text, "faulty_dispatch_9", "STATUS_BREAKPOINT", "FaultyFsControl")

    def test_driver_without_unload_stays_until_the_end(self):
        # No fault: its threads and timers go with the machine, at once.
        driver = os.path.join(DRIVERS, "stays.sys")
        for _ in range(5):
            result = self.ntio("ls", "--disk", self.image, "--filter", driver, timeout=25)
            self.assertEqual(result.stderr, "")

    def test_swallowed_assertion_is_in_the_debug_output(self):
        text = self.run_with("faulty_dispatch_10", REQUEST_FAILED)
        self.assertIn("STATUS_UNRECOGNIZED_VOLUME", text)
        self.assertNotIn("Assertion", text)
        text = self.run_with("faulty_dispatch_10", REQUEST_FAILED, "--debug-output")
        self.assertRegex(text, r"Assertion failed: faulty_dispatch_10.sys!FaultyFsControl.*faulty\.c:")

    def test_missing_imports_are_all_named(self):
        text = self.run_with("missing_import", DRIVER_DID_NOT_LOAD)
        for part in ("missing_import.sys", "NtioNoSuchRoutine", "NtioNorThisOne"):
            self.assertIn(part, text)
        text = self.run_with("missing_import", BUG_CHECK, "--lazy-imports")
        self.assertIn("NtioNoSuchRoutine", text)


if __name__ == "__main__":
    unittest.main()
