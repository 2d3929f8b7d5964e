#!/usr/bin/env python3
"""Compares the value of every constant (#define) of include/wdk with mingw-w64's DDK headers, and with what is known of those
that mingw-w64 lacks.

  compare_constants.py --clang CLANG --wdk DIR --generated DIR [--mingw /usr/share/mingw-w64/include]
"""
import argparse
import re
import subprocess
import sys

HEADERS = ["ntifs.h", "ntdddisk.h", "ntddstor.h", "ntddvol.h", "mountdev.h", "mountmgr.h"]
MINGW_HEADERS = ["ntifs.h", "ntdddisk.h", "mountdev.h", "mountmgr.h"]

# Where mingw's value is older or wrong; each with its reason.
MINGW_DIFFERS = {
    "ACCESS_MAX_MS_V5_ACE_TYPE": "newer ACE types",
    "CONTEXT_XSTATE": "mingw: the bit of x86",
    "IOCTL_MOUNTDEV_LINK_CREATED": "mingw: the value before read and write access were asked for",
    "IOCTL_MOUNTDEV_LINK_DELETED": "mingw: the value before read and write access were asked for",
    "IO_REPARSE_TAG_RESERVED_RANGE": "a newer tag is reserved",
    "NTDDI_VERSION": "chosen by each",
    "REG_LEGAL_CHANGE_FILTER": "a newer flag",
    "REG_LEGAL_OPTION": "a newer option",
    "SE_MAX_WELL_KNOWN_PRIVILEGE": "a newer privilege",
}
# Values of learn.microsoft.com and of Microsoft's published metadata, for constants that mingw-w64 does not have.
KNOWN = {
    "CC_DISABLE_UNMAP_BEHIND": 0x20, "CC_ENABLE_CPU_CACHE": 0x10000000, "CC_ENABLE_DISK_IO_ACCOUNTING": 0x10,
    "DO_BOOT_CRITICAL": 0x20000000, "DO_DAX_VOLUME": 0x10000000, "DO_DEVICE_IRP_REQUIRES_EXTENSION": 0x08000000,
    "DO_DEVICE_TO_BE_RESET": 0x04000000, "FO_BYPASS_IO_ENABLED": 0x00800000, "VPB_DISMOUNTING": 0x80,
    "VPB_FLAGS_BYPASSIO_BLOCKED": 0x40,
}
FEWEST_SHARED = 3000


def run(clang, flags, source):
    return subprocess.run([clang, "-x", "c", "-w", *flags, "-"], input=source, capture_output=True, text=True)


def includes(headers):
    return "".join(f"#include <{header}>\n" for header in headers)


def macros(clang, flags, headers):
    result = run(clang, ["-dM", "-E", *flags], includes(headers))
    if result.returncode != 0:
        sys.exit(result.stderr)
    # Simple ones only: names with arguments are functions, empty ones are switches.
    return {match.group(1) for match in re.finditer(r"^#define ([A-Za-z]\w*) \S", result.stdout, re.M)}


def values(clang, flags, headers, names):
    """name -> value, of those names that are integer constants."""
    names = sorted(names)
    head = includes(headers)
    for _ in range(20):
        source = head + "".join(f"const unsigned long long value_{name} = (unsigned long long)(long long)({name});\n" for name in names)
        result = run(clang, ["-S", "-emit-llvm", "-o", "-", "-ferror-limit=0", *flags], source)
        if result.returncode == 0:
            return {match.group(1): int(match.group(2)) % (1 << 64)
                    for match in re.finditer(r"@value_(\w+) = .*?constant i64 (-?\d+)", result.stdout)}
        wrong = {int(match.group(1)) - len(headers) - 1 for match in re.finditer(r"<stdin>:(\d+):\d+: error", result.stderr)}
        if not wrong:
            break
        names = [name for place, name in enumerate(names) if place not in wrong]
    sys.exit(result.stderr)


def main():
    parser = argparse.ArgumentParser()
    for option in ("--clang", "--wdk", "--generated"):
        parser.add_argument(option, required=True)
    parser.add_argument("--mingw", default="/usr/share/mingw-w64/include")
    arguments = parser.parse_args()

    ours_flags = ["--target=x86_64-pc-windows-msvc", "-ffreestanding", "-fms-extensions", f"-I{arguments.wdk}",
                  f"-I{arguments.generated}"]
    mingw_flags = ["--target=x86_64-w64-mingw32", "-fms-extensions", "-D_WIN32_WINNT=0x0A00", "-DNTDDI_VERSION=0x0A000000",
                   f"-isystem{arguments.mingw}/ddk", f"-isystem{arguments.mingw}"]
    ours = values(arguments.clang, ours_flags, HEADERS, macros(arguments.clang, ours_flags, HEADERS))
    theirs = macros(arguments.clang, mingw_flags, MINGW_HEADERS)
    theirs = values(arguments.clang, mingw_flags, MINGW_HEADERS, theirs & set(ours))

    failures = [f"{name}: 0x{ours[name]:x}, mingw 0x{value:x}" for name, value in sorted(theirs.items())
                if ours[name] != value and name not in MINGW_DIFFERS]
    failures += [f"{name}: 0x{ours.get(name, 0):x}, known as 0x{value:x}" for name, value in sorted(KNOWN.items())
                 if ours.get(name) != value]
    if len(theirs) < FEWEST_SHARED:
        failures.append(f"only {len(theirs)} constants to compare")
    for failure in failures:
        print("FAIL", failure)
    print(f"{len(ours)} constants, {len(theirs)} compared with mingw-w64, {len(KNOWN)} with known values: "
          f"{len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
