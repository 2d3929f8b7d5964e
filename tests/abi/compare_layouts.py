#!/usr/bin/env python3
"""Compares the layout of every structure of include/wdk between targets, and with mingw-w64's DDK headers.

Drivers (PE) and the runtime (ELF) compile the same headers; a member that lies elsewhere on one side corrupts memory in
silence. clang prints the layout of each complete record; this script compares size and every member's offset.

  compare_layouts.py --clang CLANG --wdk DIR --generated DIR [--mingw /usr/share/mingw-w64/include]
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

FIRST = "ntifs.h"  # the others stand on it
MINGW_HEADERS = ["ntifs.h", "ntdddisk.h", "ntddscsi.h", "mountdev.h", "mountmgr.h"]
NOT_FOR_C = {"ntstatus.h"}

# Where mingw's headers describe an older or a smaller structure; each with its reason.
MINGW_DIFFERS = {
    "_DEVICE_OBJECT": "mingw lacks the alignment of the member Queue (Windows: 0x150 bytes)",
    "_DRIVE_LAYOUT_INFORMATION_MBR": "mingw lacks CheckSum",
    "_FSRTL_ADVANCED_FCB_HEADER": "mingw: version 2; ours has Oplock and ReservedContext of version 3",
    "_FS_FILTER_CALLBACKS": "mingw lacks the query-open callbacks",
    "_IO_COMPLETION_CONTEXT": "mingw lacks UsageCount",
    "_IO_DRIVER_CREATE_CONTEXT": "mingw lacks SiloContext",
    "_KPCR": "only the documented head is declared, of another length on each side",
    "_KUSER_SHARED_DATA": "members of newer Windows; ours ends before XState",
    "_KWAIT_BLOCK": "mingw: the layout before Windows 8",
    "_SE_EXPORTS": "mingw lacks the newer SIDs",
    "_TOKEN_ACCESS_INFORMATION": "mingw: the layout before Windows 8",
}
MINGW_MEMBER_DIFFERS = {
    ("_DRIVE_LAYOUT_INFORMATION_EX", "Mbr"): "mingw lacks CheckSum",
    ("_KDPC", "DpcListEntry"): "since Windows 8 a single link, and ProcessorHistory",
    ("_KTIMER", "Processor"): "since Windows 8 Processor and TimerType share it",
}
# Members that several alternatives of one union share by name, or that only fill space.
MINGW_IGNORED_MEMBERS = {"Reserved", "Reserved2", "DpcActive", "Abandoned", "Sequence", "NextEntry", "OwnerCount",
                         "KernelApcInProgress"}


def dump(clang, flags, headers):
    source = "".join(f"#include <{header}>\n" for header in headers)
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(source)
        file.flush()
        command = [clang, "-x", "c", "-std=c11", "-fsyntax-only", "-w", "-Xclang", "-fdump-record-layouts-complete", *flags, file.name]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{result.stderr}")
    return parse(result.stdout)


def headers_of(wdk):
    """Every header that drivers include."""
    return [FIRST] + sorted(name for name in os.listdir(wdk)
                            if name.endswith(".h") and name != FIRST and name not in NOT_FOR_C)


def member_sizes(clang, flags, headers, records):
    """(structure, member) -> bytes, for the members that can be named. An offset alone does not show a member that is narrower
    than it should be and is followed by padding."""
    wanted = sorted({(record, member) for record, (_, members) in records.items() for _, bits, member in members
                     if not bits and member.isidentifier()})
    head = "".join(f"#include <{header}>\n" for header in headers)
    for _ in range(6):
        source = head + "".join(f"unsigned long long m{place} = sizeof(((struct {record} *)0)->{member});\n"
                                for place, (record, member) in enumerate(wanted))
        result = subprocess.run([clang, "-x", "c", "-w", "-S", "-emit-llvm", "-o", "-", "-ferror-limit=0", *flags, "-"],
                                input=source, capture_output=True, text=True)
        if result.returncode == 0:
            return {wanted[int(place)]: int(size)
                    for place, size in re.findall(r"@m(\d+) = .*?global i64 (\d+)", result.stdout)}
        # Unions, and members of members.
        wrong = {int(line) - len(headers) - 1 for line in re.findall(r"<stdin>:(\d+):\d+: error", result.stderr)}
        wanted = [pair for place, pair in enumerate(wanted) if place not in wrong]
    sys.exit(result.stderr[-2000:])


def parse(text):
    """name -> (size, [(offset, member)])"""
    records = {}
    for block in text.split("*** Dumping AST Record Layout\n")[1:]:
        lines = block.splitlines()
        head = re.match(r"\s*0 \| (?:struct|union) (\S+)$", lines[0])
        size = re.search(r"\[sizeof=(\d+)", block)
        if not head or not size:
            continue
        members = []
        for line in lines[1:]:
            match = re.match(r"\s*(\d+)(?::([\d-]+))? \|\s+(.*)$", line)
            if not match:
                continue
            name = match.group(3).split()[-1]
            if "(anonymous" in match.group(3) or "(unnamed" in match.group(3) or name.startswith(("struct", "union")):
                continue
            members.append((int(match.group(1)), match.group(2) or "", name))
        records[head.group(1)] = (int(size.group(1)), members)
    return records


def offsets(members):
    """The first place of each member name, in order; nested members count too."""
    places = {}
    for offset, bits, name in members:
        places.setdefault(name, []).append((offset, bits))
    return places


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clang", required=True)
    parser.add_argument("--wdk", required=True)
    parser.add_argument("--generated", required=True)
    parser.add_argument("--mingw")
    arguments = parser.parse_args()

    common = ["-fms-extensions", f"-I{arguments.wdk}", f"-I{arguments.generated}"]
    headers = headers_of(arguments.wdk)
    pe_flags = ["--target=x86_64-pc-windows-msvc", "-ffreestanding", *common]
    pe = dump(arguments.clang, pe_flags, headers)
    elf = dump(arguments.clang, ["--target=x86_64-pc-linux-gnu", *common], headers)

    # Structures of the compiler's own headers and of libc are not ours.
    foreign = re.compile(r"^(__|max_align_t|_Mbstatet|timespec|timeval|div_t|ldiv_t|lldiv_t)")
    failures = compared = 0
    for name in sorted(set(pe) | set(elf)):
        if foreign.match(name):
            continue
        if name not in elf or name not in pe:
            if name in pe:
                print(f"FAIL {name}: only the PE compilation has it")
                failures += 1
            continue
        compared += 1
        if pe[name] != elf[name]:
            failures += 1
            print(f"FAIL {name}: PE size {pe[name][0]}, ELF size {elf[name][0]}")
            for a, b in zip(pe[name][1], elf[name][1]):
                if a != b:
                    print(f"     PE {a}  ELF {b}")
                    break
    print(f"PE against ELF: {compared} structures compared")
    if compared < 400:
        print("FAIL: fewer structures than the headers have")
        failures += 1

    if arguments.mingw:
        mingw_flags = ["--target=x86_64-w64-mingw32", "-fms-extensions", "-D_WIN32_WINNT=0x0A00", "-DNTDDI_VERSION=0x0A000000",
                       f"-isystem{arguments.mingw}/ddk", f"-isystem{arguments.mingw}"]
        other = dump(arguments.clang, mingw_flags, MINGW_HEADERS)
        shared = sorted(name for name in set(pe) & set(other) if not foreign.match(name))
        differing = 0
        ours_sizes = member_sizes(arguments.clang, pe_flags, headers, {name: pe[name] for name in shared})
        their_sizes = member_sizes(arguments.clang, mingw_flags, MINGW_HEADERS, {name: other[name] for name in shared})
        sizes = {pair for pair in set(ours_sizes) & set(their_sizes) if pair[0] not in MINGW_DIFFERS}
        for record, member in sorted(sizes):
            if ours_sizes[record, member] != their_sizes[record, member] and (record, member) not in MINGW_MEMBER_DIFFERS:
                differing += 1
                print(f"FAIL {record}.{member}: {ours_sizes[record, member]} bytes, mingw {their_sizes[record, member]}")
        for name in shared:
            ours, theirs = offsets(pe[name][1]), offsets(other[name][1])
            wrong = [(member, ours[member], theirs[member]) for member in ours
                     if member in theirs and member not in MINGW_IGNORED_MEMBERS and ours[member][0] != theirs[member][0]]
            if pe[name][0] == other[name][0] and not wrong:
                continue
            if name in MINGW_DIFFERS:
                continue
            differing += 1
            print(f"FAIL {name}: size {pe[name][0]}, mingw {other[name][0]}; {wrong[:3]}")
        failures += differing
        print(f"against mingw-w64: {len(shared)} structures and the sizes of {len(sizes)} members compared, {len(MINGW_DIFFERS)} known differences")

    print("layouts agree" if failures == 0 else f"{failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
