"""The commands: ls, cat, cp, rm, mkdir, stat, info, tree, --stats, and what they say about bad input."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import DRIVER_DID_NOT_LOAD, MIB, REQUEST_FAILED, USAGE, NtioTest


class Commands(NtioTest):
    def setUp(self):
        super().setUp()
        self.image = self.make_image(16, 64)
        self.hello = self.path("hello.txt")
        with open(self.hello, "w") as file:
            file.write("hello, volume\n")

    def test_write_list_read_remove(self):
        disk = ["--disk", self.image]
        self.ntio("mkdir", "-p", *disk, ":/a/b/A long directory name")
        self.ntio("cp", *disk, self.hello, ":/a/b/A long directory name/Long file name.text")
        listing = self.ntio("ls", "-R", *disk).stdout
        self.assertIn("Long file name.text", listing)
        self.assertEqual(self.ntio("cat", *disk, ":/a/b/a LONG directory NAME/long FILE name.text").stdout, "hello, volume\n")
        self.assertIn("Size: 14", self.ntio("stat", *disk, ":/a/b/A long directory name/Long file name.text").stdout)
        self.ntio("rm", *disk, ":/a", expect=REQUEST_FAILED)
        self.ntio("rm", "-r", *disk, ":/a")
        self.assertEqual(self.ntio("ls", *disk).stdout, "")
        self.check_clean(self.image)

    def test_second_read_is_fast_io(self):
        big = self.path("big.bin")
        with open(big, "wb") as file:
            file.write(os.urandom(2 * MIB))
        self.ntio("cp", "--disk", self.image, big, ":/big.bin")
        out = self.path("out.bin")
        stats = json.loads(self.ntio("cp", "--disk", self.image, "--stats=json", ":/big.bin", out).stdout)
        with open(big, "rb") as a, open(out, "rb") as b:
            self.assertEqual(a.read(), b.read())
        self.assertGreater(stats["fast_io"]["FastIoRead"]["returned_true"], 0)
        self.assertGreater(stats["irp"]["IRP_MJ_READ"]["sent"], 0)
        self.assertGreater(stats["paging"]["bytes_read"], 2 * MIB - 1)

    def test_uncached_read(self):
        self.ntio("cp", "--disk", self.image, self.hello, ":/hello.txt")
        self.assertEqual(self.ntio("cat", "--uncached", "--disk", self.image, ":/hello.txt").stdout, "hello, volume\n")

    def test_unicode_names(self):
        for name in ("Grüße.txt", "日本語のファイル名.txt", "emoji 😀.txt", "a.b.c.d", "UPPER.TXT", "lower.txt", "x" * 200):
            with self.subTest(name=name):
                self.ntio("cp", "--disk", self.image, self.hello, f":/{name}")
                self.assertIn(name, self.ntio("ls", "--disk", self.image).stdout)
                self.assertEqual(self.ntio("cat", "--disk", self.image, f":/{name}").stdout, "hello, volume\n")
        self.check_clean(self.image)

    def test_tree_shows_the_stack(self):
        text = self.ntio("tree", "--disk", self.image).stdout
        self.assertIn("HarddiskVolume1", text)
        self.assertRegex(text.lower(), "fat")

    def test_info(self):
        text = self.ntio("info", "fat").stdout
        self.assertIn("would load", text)
        self.assertIn(" 0 absent", text)

    def test_usage_errors(self):
        self.ntio(expect=USAGE)
        self.ntio("no-such-command", expect=USAGE)
        self.ntio("ls", expect=USAGE)  # no disk
        self.ntio("ls", "--disk", f"{self.image},sector=1000", expect=USAGE)
        self.ntio("ls", "--disk", f"{self.image},frobnicate", expect=USAGE)
        self.ntio("ls", "--disk", self.image, "/host/path", expect=USAGE)
        self.ntio("cp", "--disk", self.image, self.hello, self.path("other"), expect=USAGE)

    def test_failing_requests_name_the_status(self):
        error = self.ntio("cat", "--disk", self.image, ":/missing", expect=REQUEST_FAILED).stderr
        self.assertIn("STATUS_OBJECT_NAME_NOT_FOUND (0xC0000034)", error)
        error = self.ntio("cat", "--disk", self.image, ":/no/such/path", expect=REQUEST_FAILED).stderr
        self.assertIn("STATUS_OBJECT_PATH_NOT_FOUND (0xC000003A)", error)
        self.ntio("mkdir", "--disk", self.image, ":/twice")
        error = self.ntio("mkdir", "--disk", self.image, ":/twice", expect=REQUEST_FAILED).stderr
        self.assertIn("STATUS_OBJECT_NAME_COLLISION", error)
        error = self.ntio("cat", "--disk", self.image, ":/twice", expect=REQUEST_FAILED).stderr
        self.assertIn("STATUS_FILE_IS_A_DIRECTORY", error)

    def test_read_only_image(self):
        self.ntio("cp", "--disk", self.image, self.hello, ":/hello.txt")
        with open(self.image, "rb") as file:
            before = file.read()
        self.assertEqual(self.ntio("cat", "--disk", f"{self.image},ro", ":/hello.txt").stdout, "hello, volume\n")
        error = self.ntio("cp", "--disk", f"{self.image},ro", self.hello, ":/no.txt", expect=REQUEST_FAILED).stderr
        self.assertIn("STATUS_MEDIA_WRITE_PROTECTED", error)
        with open(self.image, "rb") as file:
            self.assertEqual(before, file.read())

    def test_images_that_are_no_volumes(self):
        missing = self.path("missing.img")
        self.assertIn("missing.img", self.ntio("ls", "--disk", missing, expect=REQUEST_FAILED).stderr)
        for name, content in (("empty", b""), ("short", b"x" * 100), ("zeros", bytes(MIB)), ("noise", os.urandom(MIB))):
            with self.subTest(name=name):
                image = self.path(name + ".img")
                with open(image, "wb") as file:
                    file.write(content)
                self.ntio("ls", "--disk", image, expect=REQUEST_FAILED)

    def test_drivers_that_are_none(self):
        for name, content in (("empty", b""), ("text", b"not a driver"), ("truncated", None)):
            with self.subTest(name=name):
                driver = self.path(name + ".sys")
                if content is None:
                    from harness import DRIVERS
                    with open(os.path.join(DRIVERS, "fat.sys"), "rb") as file:
                        content = file.read(3000)
                with open(driver, "wb") as file:
                    file.write(content)
                self.ntio("ls", "--disk", self.image, "--fs", driver, expect=DRIVER_DID_NOT_LOAD)
                self.ntio("info", driver, expect=DRIVER_DID_NOT_LOAD)
        self.ntio("ls", "--disk", self.image, "--fs", "no-such-driver", expect=DRIVER_DID_NOT_LOAD)

    def test_disk_full(self):
        image = self.make_image(12, 2, name="small.img")
        small, big = self.path("small.bin"), self.path("big.bin")
        with open(small, "wb") as file:
            file.write(os.urandom(300_000))
        with open(big, "wb") as file:
            file.write(os.urandom(4 * MIB))
        self.ntio("cp", "--disk", image, small, ":/small.bin")
        self.assertIn("STATUS_DISK_FULL", self.ntio("cp", "--disk", image, big, ":/big.bin", expect=REQUEST_FAILED).stderr)
        self.check_clean(image)
        out = self.path("out.bin")
        self.ntio("cp", "--disk", image, ":/small.bin", out)
        with open(small, "rb") as a, open(out, "rb") as b:
            self.assertEqual(a.read(), b.read())


if __name__ == "__main__":
    unittest.main()
