"""Volumes that lie: absurd boot sectors, looping and crossed chains, endless directories. Refused or reported, never a hang."""
import os
import random
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import REQUEST_FAILED, NtioTest

RUN_SECONDS = 60  # far above what any of these takes; a hang fails


class Fat16:
    """Just enough of the format to break it."""

    def __init__(self, image):
        self.image = image
        with open(image, "rb") as file:
            self.data = bytearray(file.read())
        (self.sector, self.cluster_sectors, self.reserved, self.fats, self.root_entries) = struct.unpack_from("<HBHBH", self.data, 11)
        self.fat_sectors = struct.unpack_from("<H", self.data, 22)[0]
        self.fat_at = self.reserved * self.sector
        self.root_at = self.fat_at + self.fats * self.fat_sectors * self.sector
        self.data_at = self.root_at + self.root_entries * 32

    def set_fat(self, cluster, value):
        for copy in range(self.fats):
            struct.pack_into("<H", self.data, self.fat_at + copy * self.fat_sectors * self.sector + cluster * 2, value)

    def entry(self, name):
        """Offset of a short name's entry in the root directory."""
        for at in range(self.root_at, self.root_at + self.root_entries * 32, 32):
            if self.data[at:at + 11] == name:
                return at
        raise KeyError(name)

    def first_cluster(self, at):
        return struct.unpack_from("<H", self.data, at + 26)[0]

    def save(self):
        with open(self.image, "wb") as file:
            file.write(self.data)


class CorruptVolumes(NtioTest):
    def attempt(self, *arguments):
        """Runs ntio; success and a failed request are both fine, a crash or a hang is not."""
        import subprocess
        from harness import NTIO
        result = subprocess.run([NTIO, *arguments], capture_output=True, timeout=RUN_SECONDS)
        self.assertIn(result.returncode, (0, 1), result.stderr.decode(errors="replace")[-3000:])
        return result

    def filled(self):
        image = self.make_image(16, 32)
        for name in ("one.bin", "two.bin"):
            path = self.path(name)
            with open(path, "wb") as file:
                file.write(os.urandom(100_000))
            self.run_tool("mcopy", "-i", image, path, "::/")
        self.run_tool("mmd", "-i", image, "::/dir")
        return image

    def test_absurd_boot_sectors_are_refused(self):
        fields = [(11, "<H", [0, 1, 3, 511, 513, 8192, 65535]), (13, "<B", [0, 3, 255]), (14, "<H", [0]), (16, "<B", [0, 255]),
                  (17, "<H", [1]), (22, "<H", [0, 1]), (19, "<H", [1, 65535])]
        for offset, form, values in fields:
            for value in values:
                with self.subTest(offset=offset, value=value):
                    image = self.make_image(16, 16)
                    with open(image, "r+b") as file:
                        file.seek(offset)
                        file.write(struct.pack(form, value))
                    self.attempt("ls", "--disk", image)

    def test_random_boot_sectors(self):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        image = self.make_image(32, 40)
        with open(image, "rb") as file:
            clean = file.read(512)
        for i in range(40):
            broken = bytearray(clean)
            for _ in range(rng.randrange(1, 8)):
                broken[rng.randrange(11, 90)] = rng.randrange(256)
            with open(image, "r+b") as file:
                file.write(broken)
            with self.subTest(seed=seed, round=i):
                self.attempt("ls", "-R", "--disk", image)

    def test_looping_chain(self):
        image = self.filled()
        fat = Fat16(image)
        first = fat.first_cluster(fat.entry(b"ONE     BIN"))
        fat.set_fat(first + 1, first)
        fat.save()
        self.attempt("cat", "--disk", image, ":/one.bin")
        self.attempt("rm", "--disk", image, ":/one.bin")
        self.attempt("cat", "--disk", image, ":/two.bin")

    def test_crossed_chains(self):
        image = self.filled()
        fat = Fat16(image)
        one, two = (fat.first_cluster(fat.entry(name)) for name in (b"ONE     BIN", b"TWO     BIN"))
        fat.set_fat(one, two + 1)
        fat.save()
        for name in ("one", "two"):
            self.attempt("cat", "--disk", image, f":/{name}.bin")
        self.attempt("rm", "--disk", image, ":/one.bin")
        self.attempt("rm", "--disk", image, ":/two.bin")

    def test_chain_out_of_the_volume(self):
        for value in (0, 1, 0xFFF0, 0xFFF7, 60000):
            image = self.filled()
            fat = Fat16(image)
            fat.set_fat(fat.first_cluster(fat.entry(b"ONE     BIN")), value)
            fat.save()
            with self.subTest(value=value):
                result = self.ntio("cat", "--disk", image, ":/one.bin", expect=REQUEST_FAILED, text=False)
                self.assertIn(b"CORRUPT", result.stderr)

    def test_directory_that_never_ends(self):
        image = self.filled()
        fat = Fat16(image)
        first = fat.first_cluster(fat.entry(b"DIR        "))
        cluster_bytes = fat.cluster_sectors * fat.sector
        at = fat.data_at + (first - 2) * cluster_bytes
        for place in range(at, at + cluster_bytes, 32):  # no end mark, and the chain comes back to itself
            fat.data[place:place + 32] = b"X%07d   " % (place % 10_000_000) + b"\x20" + bytes(20)
        fat.set_fat(first, first)
        fat.save()
        self.attempt("ls", "--disk", image, ":/dir")
        self.attempt("stat", "--disk", image, ":/dir/missing")

    def test_size_beyond_the_chain(self):
        image = self.filled()
        fat = Fat16(image)
        struct.pack_into("<I", fat.data, fat.entry(b"ONE     BIN") + 28, 0xFFFFFFF0)
        fat.save()
        self.attempt("cat", "--disk", image, ":/one.bin")


if __name__ == "__main__":
    unittest.main()
