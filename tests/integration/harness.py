"""What the integration tests share: running ntio, making images with mkfs.fat, looking at them with mtools and fsck.fat."""
import filecmp
import os
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ.get("NTIO_BUILD_DIR") or os.path.join(os.path.dirname(__file__), "..", "..", "build")
NTIO = os.path.join(BUILD, "bin", "ntio")
DRIVERS = os.path.join(BUILD, "drivers")
MIB = 1 << 20
TIMEOUT_SECONDS = 300

# Exit codes of the command line.
REQUEST_FAILED, USAGE, DRIVER_DID_NOT_LOAD, VERIFIER, BUG_CHECK = 1, 2, 3, 4, 5


class NtioTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ntio-test-")
        self.addCleanup(shutil.rmtree, self.directory, True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def ntio(self, *arguments, expect=0, timeout=TIMEOUT_SECONDS, text=True):
        """Runs ntio and checks its exit code; returns the finished process."""
        command = [NTIO, *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, timeout=timeout, text=text, errors="replace" if text else None)
        self.assertEqual(result.returncode, expect,
                         f"$ {' '.join(command)}\nstdout: {result.stdout[-2000:]!r}\nstderr: {result.stderr[-4000:]!r}")
        return result

    def run_tool(self, *command, expect=0):
        environment = dict(os.environ, MTOOLS_SKIP_CHECK="1", LC_ALL="C.UTF-8")
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, errors="replace")
        self.assertEqual(result.returncode, expect, f"$ {' '.join(map(str, command))}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def make_image(self, fat, mib, sector=512, cluster_sectors=None, name="volume.img"):
        """A freshly formatted image; `fat` is 12, 16 or 32."""
        image = self.path(name)
        with open(image, "wb") as file:
            file.truncate(int(mib * MIB))
        options = ["-F", str(fat), "-S", str(sector), "-n", "NTIO"]
        if cluster_sectors:
            options += ["-s", str(cluster_sectors)]
        self.run_tool("mkfs.fat", *options, image)
        return image

    def disk(self, image, sector=512, *options):
        return ",".join([image, *([f"sector={sector}"] if sector != 512 else []), *options])

    def check_clean(self, image):
        """fsck.fat finds nothing to repair."""
        self.run_tool("fsck.fat", "-n", image)

    def assert_same_tree(self, left, right):
        differences = []

        def compare(a, b):
            result = filecmp.dircmp(a, b, ignore=[])
            differences.extend(os.path.join(a, name) for name in result.left_only)
            differences.extend(os.path.join(b, name) for name in result.right_only)
            _, mismatch, errors = filecmp.cmpfiles(a, b, result.common_files, shallow=False)
            differences.extend(os.path.join(a, name) for name in mismatch + errors)
            for name in result.common_dirs:
                compare(os.path.join(a, name), os.path.join(b, name))

        compare(left, right)
        self.assertEqual(differences[:10], [])


def copy_tree_without_collisions(source, target, max_files, max_bytes=None):
    """Copies regular files of `source`, leaving out names that differ only by case; returns how many."""
    copied = used = 0
    for directory, directories, files in os.walk(source):
        directories.sort()
        seen = set()
        relative = os.path.relpath(directory, source)
        directories[:] = [d for d in directories if not os.path.islink(os.path.join(directory, d))
                          and not (d.lower() in seen or seen.add(d.lower()))]
        os.makedirs(os.path.join(target, relative), exist_ok=True)
        for name in sorted(files):
            full = os.path.join(directory, name)
            if os.path.islink(full) or not os.path.isfile(full) or name.lower() in seen:
                continue
            size = os.path.getsize(full)
            if copied >= max_files or (max_bytes and used + size > max_bytes):
                continue
            seen.add(name.lower())
            shutil.copyfile(full, os.path.join(target, relative, name))
            copied += 1
            used += size
    return copied
