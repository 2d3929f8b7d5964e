"""The commands: ls, cat, cp, rm, mkdir, stat, info, tree, --stats, and what they say about bad input."""
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import DRIVER_DID_NOT_LOAD, DRIVERS, MIB, NTIO, REQUEST_FAILED, USAGE, NtioTest


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

    def test_tree_shows_the_stacks(self):
        text = self.ntio("tree", "--disk", self.image).stdout
        storage, systems, drivers = text.split("\n\n")
        self.assertRegex(storage, r"\\Device\\HarddiskVolume1 +mounted, label \"NTIO\", serial [0-9A-F]{4}-[0-9A-F]{4}\n"
                                  r" +file system stack\n +fat\.sys +\(unnamed\)\n"
                                  r" +storage stack\n +\\Driver\\Disk +\\Device\\HarddiskVolume1\n")
        self.assertRegex(systems, r"disks\n +fat\.sys +\\Fat\n +\\FileSystem\\RAW +\\Device\\RawDisk")
        self.assertNotIn("tapes", systems)
        self.assertRegex(drivers, r"\\FileSystem\\fat +fat\.sys\n")
        self.assertRegex(drivers, r"\(unnamed\) +DISK_FILE_SYSTEM, volume on \\Device\\HarddiskVolume1")
        self.assertRegex(drivers, r"\\Fat +DISK_FILE_SYSTEM, control device, registered")

    def test_info(self):
        text = self.ntio("info", "fat").stdout
        self.assertIn("would load", text)
        self.assertIn(" 0 absent", text)
        self.assertRegex(text, r"image +base 0x[0-9a-f]+, \d+ bytes, entry 0x[0-9a-f]+, \d+ relocations")
        self.assertRegex(text, r"unwind data +\d+ functions, \d+ with a handler")

    def test_usage_errors(self):
        disk = self.image
        for arguments, wanted in (
                ([], "a command is wanted: ls cat cp"),
                (["no-such-command"], '"no-such-command" is not a command; these are: ls'),
                (["ls"], "--disk is required"),
                (["ls", "--disk"], "--disk"),
                (["ls", "--disk", ",ro"], "the image's name is missing"),
                (["ls", "--disk", f"{disk},sector=1000"], "512, 1024, 2048 or 4096"),
                (["ls", "--disk", f"{disk},sector="], "a number is wanted"),
                (["ls", "--disk", f"{disk},sector=4294967808"], "too large"),
                (["ls", "--disk", f"{disk},max-transfer=-1"], "a number is wanted"),
                (["ls", "--disk", f"{disk},max-transfer=5000M"], "too large"),
                (["ls", "--disk", f"{disk},max-transfer=700"], "multiple of the sector size"),
                (["ls", "--disk", f"{disk},partition=one"], "a number is wanted"),
                (["ls", "--disk", f"{disk},ro=1"], "is not an option of a disk; these are: ro"),
                (["ls", "--disk", f"{disk},frobnicate"], "frobnicate"),
                (["ls", "--disk", disk, "--bogus"], "--bogus"),
                (["ls", "--disk", disk, "--stats=xml"], "xml"),
                (["ls", "--disk", disk, "--fs"], "--fs"),
                (["ls", "--disk", disk, "/host/path"], "write :/"),
                (["cat", "--disk", disk, self.hello], "write :/"),
                (["rm", "--disk", disk, ":/"], "root"),
                (["stat", "--disk", disk], "PATHS"),
                (["cp", "--disk", disk, ":/a"], "a source and a target"),
                (["cp", "--disk", disk, self.hello, self.path("other")], "write :/path"),
                (["mkdir", "--disk", disk, b":/\xff"], "not UTF-8")):
            with self.subTest(arguments=arguments):
                error = subprocess.run([NTIO, *arguments], capture_output=True, text=True, errors="replace")
                self.assertEqual(error.returncode, USAGE, error)
                self.assertTrue(error.stderr.startswith("ntio: "), error.stderr)
                self.assertIn(wanted, error.stderr)
                self.assertIn("--help", error.stderr)
                self.assertEqual(error.stdout, "")

    def test_help_and_version(self):
        for arguments in (["--help"], ["help"]):
            text = self.ntio(*arguments).stdout
            for command in ("ls", "cat", "cp", "rm", "mkdir", "stat", "info", "tree", "Exit codes"):
                self.assertIn(command, text)
        self.assertIn("--recursive", self.ntio("cp", "--help").stdout)
        self.assertRegex(self.ntio("--version").stdout, r"^\d+\.\d+")

    def test_statistics_as_json_have_the_documented_shape(self):
        out = self.ntio("cp", "--disk", self.image, "--stats=json", self.hello, ":/hello.txt").stdout
        stats = json.loads(out)
        self.assertEqual(set(stats), {"fast_io", "irp", "paging", "filters", "drivers"})
        for name, counts in stats["fast_io"].items():
            self.assertEqual(set(counts), {"called", "returned_true", "returned_false", "disallowed"}, name)
        for name, counts in stats["irp"].items():
            self.assertTrue(name.startswith("IRP_MJ_"), name)
            self.assertEqual(set(counts), {"sent", "failed"}, name)
        self.assertEqual(set(stats["paging"]), {"reads", "writes", "bytes_read", "bytes_written"})
        self.assertGreater(stats["irp"]["IRP_MJ_WRITE"]["sent"], 0)

    def test_paths_in_windows_habits(self):
        disk = ["--disk", self.image]
        self.ntio("mkdir", "-p", *disk, ":\\one\\two")
        self.ntio("cp", *disk, self.hello, ":/one/hello.txt")
        self.ntio("cp", *disk, self.hello, ":/one/other.log")
        self.assertEqual(self.ntio("cat", *disk, ":\\ONE\\two\\..\\Hello.TXT").stdout, "hello, volume\n")
        self.assertEqual(self.ntio("ls", *disk, ":/one/*.txt").stdout, "hello.txt\n")
        self.assertEqual(self.ntio("ls", *disk, ":/one//./two/../").stdout.split(), ["two/", "hello.txt", "other.log"])
        self.assertIn("no name matches", self.ntio("rm", *disk, ":/one/*.zip", expect=REQUEST_FAILED).stderr)
        self.ntio("rm", *disk, ":/one/*.*", "-r")
        self.assertEqual(self.ntio("ls", *disk, ":/one").stdout, "")

    def test_one_bad_path_does_not_end_a_command(self):
        disk = ["--disk", self.image]
        self.ntio("cp", *disk, self.hello, ":/hello.txt")
        result = self.ntio("cat", *disk, ":/missing", ":/hello.txt", expect=REQUEST_FAILED)
        self.assertEqual(result.stdout, "hello, volume\n")
        self.assertIn("there is no such file or directory", result.stderr)
        self.ntio("rm", *disk, ":/missing", ":/hello.txt", expect=REQUEST_FAILED)
        self.assertEqual(self.ntio("ls", *disk).stdout, "")

    def test_copy_refuses_what_would_destroy(self):
        disk = ["--disk", self.image]
        self.ntio("mkdir", *disk, ":/dir")
        self.ntio("cp", *disk, self.hello, ":/dir/hello.txt")
        for arguments, wanted in (([":/dir/hello.txt", ":/DIR/HELLO.TXT"], "same file"),
                                  ([":/dir/hello.txt", ":/dir"], "same file"),
                                  (["-r", ":/dir", ":/dir/inside"], "lies inside"),
                                  (["-r", ":/", ":/dir"], "lies inside"),
                                  ([":/dir/hello.txt", self.image], "is the disk"),
                                  ([self.image, ":/self"], "is the disk")):
            with self.subTest(arguments=arguments):
                self.assertIn(wanted, self.ntio("cp", *disk, *arguments, expect=REQUEST_FAILED).stderr)
        self.assertEqual(self.ntio("cat", *disk, ":/dir/hello.txt").stdout, "hello, volume\n")
        self.check_clean(self.image)

    def test_copy_of_trees(self):
        disk = ["--disk", self.image]
        tree = self.path("tree")
        os.makedirs(os.path.join(tree, "below"))
        for name in ("a", "below/b"):
            with open(os.path.join(tree, name), "w") as file:
                file.write(name)
            os.utime(os.path.join(tree, name), (1_600_000_000, 1_600_000_000))
        self.ntio("cp", *disk, tree, ":/", expect=REQUEST_FAILED)  # not without -r
        self.ntio("cp", "-r", *disk, tree, ":/new")                # becomes new
        self.ntio("cp", "-r", *disk, tree + "/", ":/new")          # goes into it
        self.ntio("cp", "-r", *disk, tree + "/.", ":/content")     # its content
        self.ntio("cp", "-r", *disk, ":/new", ":/copy")
        for place in (":/new", ":/new/tree", ":/content", ":/copy", ":/copy/tree"):
            self.assertEqual(self.ntio("cat", *disk, place + "/below/b").stdout, "below/b")
        out = self.path("out")
        self.ntio("cp", "-r", *disk, ":/copy/tree", out)
        self.assert_same_tree(tree, out)
        self.assertEqual(os.stat(os.path.join(out, "below/b")).st_mtime, 1_600_000_000)
        self.ntio("cp", "-r", *disk, ":/content", out)
        self.assert_same_tree(tree, os.path.join(out, "content"))
        self.ntio("cp", *disk, self.hello, ":/nowhere/", expect=REQUEST_FAILED)
        self.ntio("cp", "-r", *disk, tree, ":/new/a", expect=REQUEST_FAILED)
        self.check_clean(self.image)

    def test_copy_leaves_out_what_cannot_be_copied(self):
        tree = self.path("tree")
        os.makedirs(os.path.join(tree, "below"))
        os.mkfifo(os.path.join(tree, "fifo"))
        os.symlink("nowhere", os.path.join(tree, "dangling"))
        os.symlink("..", os.path.join(tree, "below", "up"))
        os.symlink("../z", os.path.join(tree, "below", "link"))
        with open(os.path.join(tree, "z"), "w") as file:
            file.write("content")
        error = self.ntio("cp", "-r", "--disk", self.image, tree, ":/", expect=REQUEST_FAILED).stderr
        for wanted in ("fifo: is neither", "dangling: cannot look", "up: is a link to a directory that it lies in"):
            self.assertIn(wanted, error)
        for name in (":/tree/z", ":/tree/below/link"):
            self.assertEqual(self.ntio("cat", "--disk", self.image, name).stdout, "content")

    def test_read_only_files(self):
        self.ntio("cp", "--disk", self.image, self.hello, ":/hello.txt")
        self.run_tool("mattrib", "+r", "-i", self.image, "::/hello.txt")
        self.ntio("cp", "--disk", self.image, ":/hello.txt", ":/copy.txt")
        self.assertIn("r", self.ntio("ls", "-l", "--disk", self.image, ":/copy.txt").stdout.split()[0])
        error = self.ntio("rm", "--disk", self.image, ":/hello.txt", expect=REQUEST_FAILED).stderr
        self.assertIn("read-only", error)
        self.ntio("rm", "-f", "--disk", self.image, ":/hello.txt", ":/copy.txt")
        self.assertEqual(self.ntio("ls", "--disk", self.image).stdout, "")

    def test_image_in_use(self):
        with open(self.image, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            error = self.ntio("ls", "--disk", self.image, expect=REQUEST_FAILED).stderr
            self.assertIn("another program", error)
        self.ntio("ls", "--disk", self.image)

    def test_partitions(self):
        image = self.path("parted.img")
        table = bytearray(512)
        for place, (first, count) in enumerate(((2048, 40960), (43008, 20480))):
            struct.pack_into("<BBBBBBBBII", table, 446 + 16 * place, 0, 0, 0, 0, 6, 0, 0, 0, first, count)
        table[510:] = b"\x55\xaa"
        with open(image, "wb") as file:
            file.write(table)
            file.truncate(64 * MIB)
        self.run_tool("mkfs.fat", "-F", "16", "--offset", "43008", image, "10240")
        self.assertIn("choose one with partition=N", self.ntio("ls", "--disk", image, expect=REQUEST_FAILED).stderr)
        error = self.ntio("ls", "--disk", f"{image},partition=7", expect=REQUEST_FAILED).stderr
        self.assertIn("no partition 7", error)
        self.assertIn("20971520 bytes", error)
        self.ntio("ls", "--disk", f"{image},partition=1", expect=REQUEST_FAILED)  # not formatted
        self.ntio("cp", "--disk", f"{image},partition=2", self.hello, ":/hello.txt")
        self.assertIn("hello", self.run_tool("mdir", "-b", "-i", f"{image}@@{43008 * 512}", "::/").lower())

    def test_broken_pipe_and_full_output(self):
        big = self.path("big.bin")
        with open(big, "wb") as file:
            file.write(os.urandom(4 * MIB))
        self.ntio("cp", "--disk", self.image, big, ":/big.bin")
        process = subprocess.Popen([NTIO, "cat", "--disk", self.image, ":/big.bin"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()
        self.assertEqual(process.wait(), -signal.SIGPIPE)
        self.check_clean(self.image)
        with open("/dev/full", "w") as full:
            result = subprocess.run([NTIO, "ls", "--disk", self.image], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, REQUEST_FAILED)
        self.assertIn("standard output", result.stderr)

    def test_interrupted_copy_leaves_a_clean_volume(self):
        # A tree whose copy lasts: the signal comes when the first line says that copying goes on.
        tree = self.path("tree")
        os.makedirs(tree)
        os.mkfifo(os.path.join(tree, "fifo"))
        for i in range(400):
            with open(os.path.join(tree, f"file {i}.bin"), "wb") as file:
                file.write(bytes(100_000))
        process = subprocess.Popen([NTIO, "cp", "-r", "--disk", self.image, tree, ":/tree"], stderr=subprocess.PIPE)
        process.stderr.read(1)  # of the FIFO
        process.send_signal(signal.SIGINT)
        error = process.stderr.read().decode()
        process.stderr.close()
        code = process.wait()
        if code != REQUEST_FAILED:  # it was not done already
            self.assertEqual(code, -signal.SIGINT, error)
            self.assertIn("interrupted", error)
        self.check_clean(self.image)

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
