"""File systems on the shipped storage drivers: split and mirror over images, ramdisk with a copy of one."""
import filecmp
import os
import random
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import DRIVER_DID_NOT_LOAD, MIB, NtioTest, copy_tree_without_collisions


class StorageDrivers(NtioTest):
    def tree(self, files=400, max_bytes=24 * MIB):
        tree = os.path.join(self.path("source"), "tree")
        self.assertGreater(copy_tree_without_collisions("/usr/include", tree, files, max_bytes), 50)
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", file=sys.stderr)
        rng = random.Random(seed)
        for size in (1, 4095, 65537, 3 * MIB + 17):
            with open(os.path.join(tree, f"random{size}.bin"), "wb") as file:
                file.write(rng.randbytes(size))
        return tree

    def round_trip(self, disk, images, tree):
        """In through `disk`, out through it in another machine, and out of each image by mtools."""
        self.ntio("cp", "-r", "--disk", disk, tree, ":/tree")
        for image in images:
            self.check_clean(image)
        out = self.path("out")
        self.ntio("cp", "-r", "--disk", disk, ":/tree", out)
        self.assert_same_tree(tree, out)
        shutil.rmtree(out)
        for image in images:
            by_mtools = self.path("mtools")
            os.mkdir(by_mtools)
            self.run_tool("mcopy", "-s", "-n", "-Q", "-i", image, "::/tree", by_mtools)
            self.assert_same_tree(tree, os.path.join(by_mtools, "tree"))
            shutil.rmtree(by_mtools)

    def test_split(self):
        tree = self.tree()
        for sector, options in ((512, "MaximumTransfer=4096"), (512, "MapRegisters=2"), (512, "MaximumTransfer=512"),
                                (4096, "MaximumTransfer=12K,MapRegisters=3")):
            with self.subTest(sector=sector, options=options):
                image = self.make_image(16, 256, sector)
                disk = f"split:{image},sector={sector},{options}"
                self.round_trip(disk, [image], tree)
                self.assertRegex(self.ntio("tree", "--disk", disk).stdout, r"split\.sys +\(unnamed\)\n +\\Driver\\Disk +\\Device\\HarddiskVolume1")
                os.unlink(image)

    def test_mirror(self):
        tree = self.tree()
        first = self.make_image(32, 300, name="first.img")
        second = self.path("second.img")
        shutil.copyfile(first, second)
        disk = f"mirror:{first}+{second}"
        self.round_trip(disk, [first, second], tree)
        self.assertTrue(filecmp.cmp(first, second, shallow=False), "the two sides differ")
        self.assertIn("mirror.sys", self.ntio("tree", "--disk", disk).stdout)

    def test_mirror_of_unequal_disks(self):
        first = self.make_image(16, 32, name="first.img")
        second = self.make_image(16, 64, name="second.img")
        for disk in (f"mirror:{first}+{second}", f"mirror:{first}", f"mirror:{first}+{first}x"):
            with self.subTest(disk=disk):
                expect = 1 if disk.endswith("x") else DRIVER_DID_NOT_LOAD
                self.ntio("ls", "--disk", disk, expect=expect)

    def test_ramdisk_with_a_copy_of_an_image(self):
        tree = self.tree(100, 4 * MIB)
        image = self.make_image(16, 64)
        self.ntio("cp", "-r", "--disk", image, tree, ":/tree")
        with open(image, "rb") as file:
            before = file.read()
        out = self.path("out")
        self.ntio("cp", "-r", "--disk", f"ramdisk:{image}", ":/tree", out)
        self.assert_same_tree(tree, out)
        # What is written goes with the machine; the image stays as it was.
        self.ntio("rm", "-r", "--disk", f"ramdisk:{image}", ":/tree")
        with open(image, "rb") as file:
            self.assertEqual(before, file.read())

    def test_ramdisk_without_a_volume(self):
        self.ntio("ls", "--disk", "ramdisk:,Size=1M", expect=1)
        self.ntio("ls", "--disk", "ramdisk:,Size=1M,SectorSize=1000", expect=DRIVER_DID_NOT_LOAD)


if __name__ == "__main__":
    unittest.main()
