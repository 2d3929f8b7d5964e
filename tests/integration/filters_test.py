"""Legacy filters above a FAT volume: trees go in and out through one and three of them, parameters change what they do, and the
counts of each driver say who answered."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import MIB, NtioTest, copy_tree_without_collisions

FILTER = "legacy_passthrough"


def filters(count):
    return ["--filter", FILTER] * count


class Filters(NtioTest):
    def parameters(self, service=FILTER, **values):
        path = self.path("parameters.reg")
        with open(path, "w", encoding="utf-8") as file:
            file.write("Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\"
                       + service + "\\Parameters]\n")
            for name, value in values.items():
                file.write(f'"{name}"=dword:{value:08x}\n')
        return ["--reg", path]

    def test_round_trip(self):
        tree = os.path.join(self.path("from"), "tree")
        copy_tree_without_collisions("/usr/include", tree, 300, 8 * MIB)
        for count in (1, 3):
            with self.subTest(filters=count):
                image = self.make_image(32, 64, name=f"filters{count}.img")
                self.ntio("cp", "-r", "--disk", image, *filters(count), tree, ":/tree")
                self.check_clean(image)
                out = self.path(f"out{count}")
                os.mkdir(out)
                self.ntio("cp", "-r", "--disk", image, *filters(count), ":/tree", out)
                self.assert_same_tree(tree, os.path.join(out, "tree"))

    def stats(self, image, *arguments):
        output = self.ntio("cat", "--disk", image, *arguments, "--stats=json", ":/a.txt").stdout
        return json.loads(output[output.index("{"):])

    def image_with_file(self):
        image = self.make_image(16, 32)
        source = self.path("a.txt")
        with open(source, "w", encoding="ascii") as file:
            file.write("some text\n" * 5000)
        self.ntio("cp", "--disk", image, source, ":/a.txt")
        return image

    def test_counts_of_each_driver(self):
        stats = self.stats(self.image_with_file(), *filters(2))
        drivers = stats["drivers"]
        for name in (FILTER, FILTER + "-2"):
            read = drivers[name]["fast_io"]["FastIoRead"]
            self.assertEqual(read["passed_on"], read["called"])
            self.assertGreater(read["called"], 0)
            self.assertEqual(drivers[name]["irp"]["IRP_MJ_CREATE"]["completed"], 0)
            self.assertIn(name, stats["filters"])
        self.assertEqual(drivers["fat"]["fast_io"]["FastIoRead"]["answered"], stats["fast_io"]["FastIoRead"]["returned_true"])
        self.assertEqual(drivers["fat"]["irp"]["IRP_MJ_CREATE"]["completed"], drivers["fat"]["irp"]["IRP_MJ_CREATE"]["called"])
        self.assertNotIn("fat", stats["filters"])

    def test_filter_that_declines(self):
        image = self.image_with_file()
        stats = self.stats(image, *filters(1), *self.parameters(DeclineMask=1 << 2))
        read = stats["drivers"][FILTER]["fast_io"]["FastIoRead"]
        self.assertEqual((read["declined"], read["passed_on"]), (read["called"], 0))
        self.assertGreater(read["called"], 0)
        self.assertNotIn("FastIoRead", stats["drivers"]["fat"]["fast_io"])
        self.assertGreater(stats["irp"]["IRP_MJ_READ"]["sent"], read["called"])
        self.assertGreater(stats["filters"][FILTER]["disallowed"], 0)

    def test_filter_without_table(self):
        stats = self.stats(self.image_with_file(), *filters(1), *self.parameters(NoTable=1))
        self.assertNotIn("FastIoRead", stats["fast_io"])
        self.assertEqual(stats["drivers"][FILTER]["fast_io"], {})

    def test_tables_are_untouched_without_statistics(self):
        # The data is the same whoever looks on.
        image = self.image_with_file()
        plain = self.ntio("cat", "--disk", image, *filters(3), ":/a.txt").stdout
        self.assertEqual(plain, "some text\n" * 5000)
        self.assertIn(FILTER + ".sys", self.ntio("tree", "--disk", image, *filters(1)).stdout)


if __name__ == "__main__":
    unittest.main()
