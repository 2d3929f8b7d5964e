"""kill -9 in mid-write: the image mounts again, and what was flushed before is there."""
import os
import random
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from harness import MIB, NTIO, NtioTest

ROUNDS = int(os.environ.get("NTIO_CRASH_ROUNDS", "6"))


class Crash(NtioTest):
    def test_killed_in_mid_write(self):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        for fat, mib in ((16, 200), (32, 300)):
            image = self.make_image(fat, mib, name=f"crash{fat}.img")
            kept = self.path(f"kept{fat}.bin")
            with open(kept, "wb") as file:
                file.write(os.urandom(3 * MIB))
            tree = self.path(f"tree{fat}")
            os.makedirs(tree)
            for i in range(60):
                with open(os.path.join(tree, f"file number {i}.bin"), "wb") as file:
                    file.write(os.urandom(rng.randrange(1, 2 * MIB)))
            self.ntio("cp", "--disk", image, kept, ":/kept.bin")  # ends with a flush: from here on it must stay
            for round_number in range(ROUNDS):
                with self.subTest(seed=seed, fat=fat, round=round_number):
                    process = subprocess.Popen([NTIO, "cp", "-r", "--disk", image, tree, f":/round{round_number}"],
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    time.sleep(rng.uniform(0.05, 0.6))
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    out = self.path("out.bin")
                    self.ntio("cp", "--disk", image, ":/kept.bin", out)
                    with open(kept, "rb") as a, open(out, "rb") as b:
                        self.assertEqual(a.read(), b.read())
                    self.ntio("ls", "-R", "--disk", image)
                    repaired = subprocess.run(["fsck.fat", "-a", image], capture_output=True, text=True)
                    self.assertIn(repaired.returncode, (0, 1), repaired.stdout)
                    self.check_clean(image)


if __name__ == "__main__":
    unittest.main()
