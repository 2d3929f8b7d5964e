"""A tree goes in through the driver and comes out by mtools, and the reverse, on every kind of FAT."""
import os
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import MIB, NtioTest, copy_tree_without_collisions

SOURCE_TREE = "/usr/include"
# fat, image size in MiB, sector size, files
KINDS = [(12, 8, 512, 400), (16, 256, 512, 2000), (32, 300, 512, 2000), (16, 256, 4096, 2000), (32, 1100, 4096, 2000),
         (12, 32, 4096, 400)]


class RoundTrip(NtioTest):
    def tree(self, name, files, max_bytes):
        tree = os.path.join(self.path(name), "tree")
        count = copy_tree_without_collisions(SOURCE_TREE, tree, files, max_bytes)
        self.assertGreater(count, 50)
        return tree

    def test_in_by_ntio_out_by_mtools(self):
        for fat, mib, sector, files in KINDS:
            with self.subTest(fat=fat, sector=sector):
                image = self.make_image(fat, mib, sector, name=f"in{fat}-{sector}.img")
                tree = self.tree(f"from-{fat}-{sector}", files, mib * MIB // 4)
                self.ntio("cp", "-r", "--disk", self.disk(image, sector), tree, ":/tree")
                self.check_clean(image)
                out = self.path(f"out{fat}-{sector}")
                os.mkdir(out)
                self.run_tool("mcopy", "-s", "-n", "-Q", "-i", image, "::/tree", out)
                self.assert_same_tree(tree, os.path.join(out, "tree"))
                os.unlink(image)

    def test_in_by_mtools_out_by_ntio(self):
        for fat, mib, sector, files in KINDS:
            with self.subTest(fat=fat, sector=sector):
                image = self.make_image(fat, mib, sector, name=f"out{fat}-{sector}.img")
                tree = self.tree(f"from-{fat}-{sector}", files, mib * MIB // 4)
                self.run_tool("mcopy", "-s", "-Q", "-i", image, tree, "::/")
                out = self.path(f"by-ntio{fat}-{sector}")
                self.ntio("cp", "-r", "--disk", self.disk(image, sector, "ro"), ":/tree", out)
                self.assert_same_tree(tree, out)
                os.unlink(image)

    def test_sizes_around_a_cluster(self):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        for fat, mib, cluster_sectors in [(12, 8, 8), (16, 200, 8), (32, 300, 1), (32, 600, 16)]:
            cluster = cluster_sectors * 512
            sizes = [0, 1, cluster - 1, cluster, cluster + 1, 3 * cluster + 17, 262143, 262144, 262145]
            if fat != 12:
                sizes.append(64 * MIB)
            with self.subTest(fat=fat, cluster=cluster, seed=seed):
                image = self.make_image(fat, mib, cluster_sectors=cluster_sectors)
                tree = self.path(f"sizes{fat}-{cluster}")
                os.mkdir(tree)
                for size in sizes:
                    with open(os.path.join(tree, f"{size}.bin"), "wb") as file:
                        file.write(rng.randbytes(size))
                self.ntio("cp", "-r", "--disk", image, tree, ":/sizes")
                self.check_clean(image)
                out = self.path(f"out-{fat}-{cluster}")
                self.ntio("cp", "-r", "--disk", image, ":/sizes", out)
                self.assert_same_tree(tree, out)
                mtools = self.path(f"mtools-{fat}-{cluster}")
                os.mkdir(mtools)
                self.run_tool("mcopy", "-s", "-n", "-Q", "-i", image, "::/sizes", mtools)
                self.assert_same_tree(tree, os.path.join(mtools, "sizes"))
                os.unlink(image)

    def test_partition_of_a_partitioned_disk(self):
        image = self.make_image(16, 64, name="part.img")
        with open(image, "rb") as file:
            volume = file.read()
        for label in ("dos", "gpt"):
            disk = self.path(f"{label}.img")
            with open(disk, "wb") as file:
                file.truncate(80 * MIB)
            kind = "e" if label == "dos" else "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
            script = f"label: {label}\nstart=2048, size={len(volume) // 512}, type={kind}\n"
            subprocess.run(["sfdisk", "-q", disk], input=script, text=True, check=True, capture_output=True)
            with open(disk, "r+b") as file:
                file.seek(2048 * 512)
                file.write(volume)
            source = self.path("hello.txt")
            with open(source, "w") as file:
                file.write("hello\n")
            self.ntio("cp", "--disk", f"{disk},partition=1", source, ":/hello.txt")
            self.assertEqual(self.ntio("cat", "--disk", disk, ":/hello.txt").stdout, "hello\n")
            self.assertEqual(self.run_tool("mtype", "-i", f"{disk}@@{2048 * 512}", "::/hello.txt"), "hello\n")


if __name__ == "__main__":
    unittest.main()
