#!/usr/bin/env python3
"""Checks what the compiler cannot: where code may touch Linux, who includes whom, sizes, white space.

Usage: tidy.py [ROOT]     prints one line per finding, exit status 1 when there is any.
Each rule names the replacement. An exception needs a reason: see ALLOWED.
"""
import os
import re
import subprocess
import sys

CODE = (".cc", ".h", ".c", ".inc", ".S")
TEXT = CODE + (".py", ".sh", ".txt", ".md", ".cmake", ".json", ".toml", ".inf", ".reg", ".def", ".yml", ".yaml")
MOST_LINES = 900
MOST_LINES_OF_WDK = 2200  # reference headers are read by search

# --- src/ outside of src/host: no operating system ---------------------------------------------------------------------

HOST_HEADERS = re.compile(
    r"^(pthread|sched|semaphore|signal|ucontext|unistd|fcntl|poll|dirent|dlfcn|link|elf|time|liburing|termios|spawn)\.h$"
    r"|^(sys|linux|asm|bits|net|netinet|arpa)/|^sanitizer/"
    r"|^c(signal|time)$|^(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token|chrono"
    r"|random|fstream|iostream|ostream|istream|filesystem|syncstream)$")
HOST_WORDS = [
    (re.compile(r"\bstd::(thread|jthread|mutex|recursive_mutex|shared_mutex|condition_variable|call_once|async|promise)\b"),
     "use host::Thread, base/lock.h or ke"),
    (re.compile(r"\bstd::(chrono|this_thread)\b|\b(clock_gettime|gettimeofday|nanosleep|usleep|localtime_r?|gmtime_r?)\s*\("
                r"|(?<![\w.>])time\s*\(\s*(nullptr|NULL|0)\s*\)"), "use the clocks of host.h or ke"),
    (re.compile(r"\b(std::random_device|std::mt19937)\b|(?<![\w.>:])(s?rand|random|rand_r|getrandom)\s*\("),
     "use host::RandomBytes"),
    (re.compile(r"\bpthread_\w+|(?<![\w.>:])(syscall|prctl|arch_prctl|fork|execve?|sigaction|sigaltstack|raise|kill)\s*\("),
     "use host.h"),
    (re.compile(r"(?<![\w.>:])(mmap|munmap|mprotect|madvise|memfd_create|sbrk)\s*\("), "use the memory of host.h"),
    (re.compile(r"(?<![\w.>:])(fopen|fdopen|freopen|popen|pclose|system|fread|fwrite|pread|pwrite|ioctl|fsync|fdatasync|getenv|secure_getenv)\s*\("
                r"|\bstd::(fopen|getenv|ifstream|ofstream|fstream|filesystem)\b"), "use the files of host.h"),
    (re.compile(r"\bstd::(cout|cerr|clog)\b|(?<![\w.>:])(std::)?(printf|puts|fputs|fprintf|fflush|perror)\s*\(|\bstd::(printf|fprintf|fflush)\b"),
     "use host::WriteError"),
]

# path -> {what: reason}. `what` is a header, or a word that a rule above matched (without the parenthesis).
ALLOWED = {
    "src/base/check.cc": {
        "std::fprintf": "the last words before abort() must not depend on the host",
        "std::fflush": "the last words before abort() must not depend on the host",
    },
    "tools/export_list.cc": {  # a program of the build, not part of the runtime
        word: "writes the export table for the import libraries at build time"
        for word in ("fstream", "iostream", "std::ofstream", "std::cout", "std::cerr")
    },
}
# Code of the other target: the C library of drivers, freestanding by its flags. Its rand() is the drivers' rand().
OTHER_TARGET = ("src/ldr/crt/",)
# The loader and the unwinder deal in the machine's own registers and in the ELF side of mixed stacks. That is no service of
# the operating system that a simulated host would replace.
LDR_HEADERS = {
    "ucontext.h": "fault.cc reads and changes the registers of a fault",
    "csignal": "names of the signals that host.h passes on",
    "signal.h": "names of the signals that host.h passes on",
    "dlfcn.h": "dladdr: names of ELF frames in mixed stacks",
    "elf.h": "unwind tables of ELF frames",
    "link.h": "dl_iterate_phdr: unwind tables of ELF frames",
}
# Annotations for the sanitizers are no service of the operating system either.
ANYWHERE_HEADERS = {"sanitizer/asan_interface.h", "sanitizer/common_interface_defs.h", "sanitizer/lsan_interface.h",
                    "sanitizer/tsan_interface.h"}

# --- who includes whom ---------------------------------------------------------------------------------------------------

# Besides src/<x>/<x>.h, which every component offers, siblings may include these.
PUBLIC_HEADERS = {
    "src/base/": "all of base is for everybody",
    "src/host/schedule_point.h": "inlined into every export",
    "src/host/program.h": "programs and host folders, for front ends",
    "src/ke/debug_print.h": "where DbgPrint goes",
    "src/ke/thread.h": "the KTHREAD",
    "src/ke/service.h": "how host threads enter",
    "src/ke/irql.h": "inlined",
    "src/ke/bug_check.h": "reports",
    "src/ps/process.h": "the EPROCESS",
    "src/ex/resource_holdings.h": "a member of the thread",
    "src/ldr/call.h": "the way into driver code",
    "src/ldr/export.h": "the way out of it",
    "src/ldr/user_access.h": "access to requestor memory that can fault",
    "src/mm/layout.h": "the address map",
    "src/mm/segment.h": "cc works on segments directly",
    "src/mm/view.h": "cc works on segments directly",
    "src/cc/test_file_system.h": "for tests",
    "src/ex/event_object.h": "the event services",
    "src/machine/test_machine.h": "for tests",
}
# What the freestanding compiler itself provides to drivers.
COMPILER_HEADERS = {"stddef.h", "stdint.h", "stdarg.h", "stdbool.h", "limits.h", "emmintrin.h", "xmmintrin.h", "immintrin.h"}
GENERATED_HEADERS = {"ntstatus.h", "ntstatus_names.inc"}

MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|work|mnt/c)/[\w.-]+|/tmp/(?:wdk|brief|foreign|bash_)\w*")


def files_of(root):
    """Paths below root that belong to the project, with forward slashes."""
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                                check=True, capture_output=True).stdout.decode().split("\0")
        listed = [path for path in listed if path and os.path.isfile(os.path.join(root, path))]
        if listed:
            return sorted(set(listed))
    except (OSError, subprocess.CalledProcessError):
        pass
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git" and not name.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/") for name in names]
    return sorted(found)


def without_comments_and_strings(text):
    """Blanks comments and literals, keeping line numbers. Includes are read before."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.S)
    return token.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def includes_of(text):
    """(line number, header, quoted) of each include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def is_test(path):
    name = os.path.basename(path)
    return "_test." in name or name.startswith("test_") or "/test/" in path or "/tests/" in path


def check_host(path, text):
    if not path.startswith("src/") or path.startswith("src/host/") or is_test(path) or not path.endswith(CODE):
        return
    if path.startswith(OTHER_TARGET):
        return
    allowed = ALLOWED.get(path, {})
    for number, header, _ in includes_of(text):
        if not HOST_HEADERS.search(header) or header in allowed or header in ANYWHERE_HEADERS:
            continue
        if path.startswith("src/ldr/") and header in LDR_HEADERS:
            continue
        yield number, f"<{header}> is for src/host only; use src/host/host.h"
    code = without_comments_and_strings(text)
    for pattern, replacement in HOST_WORDS:
        for match in pattern.finditer(code):
            word = re.split(r"\s*\(", match.group(0))[0]
            if word not in allowed:
                yield code.count("\n", 0, match.start()) + 1, f"{word} is for src/host only; {replacement}"


def check_includes(path, text, paths, root):
    if not path.endswith(CODE):
        return
    parts = path.split("/")
    for number, header, quoted in includes_of(text):
        if parts[0] == "src":
            if header.startswith("src/"):
                owner = header.split("/")[1]
                public = header == f"src/{owner}/{owner}.h" or any(header.startswith(entry) for entry in PUBLIC_HEADERS)
                if owner != parts[1] and not public:
                    yield number, f"{header} is internal to src/{owner}; include src/{owner}/{owner}.h"
                if header not in paths:
                    yield number, f"{header} does not exist"
                if header == "src/machine/test_machine.h" and not is_test(path):
                    yield number, f"{header} is for tests"
            elif header.startswith(("drivers/", "front/", "tests/", "tools/")) and not is_test(path):
                yield number, f"the runtime does not include {header}"
        elif parts[0] == "drivers" and len(parts) > 2 and not is_test(path):
            local = "/".join(parts[:-1]) + "/" + header
            if quoted and os.path.normpath(local).replace(os.sep, "/") in paths:
                if not os.path.normpath(local).startswith("/".join(parts[:2]) + "/") and not header.startswith("../common/"):
                    yield number, f"{header} belongs to another driver"
                continue
            if "include/wdk/" + header in paths or header in COMPILER_HEADERS | GENERATED_HEADERS:
                continue
            yield number, f"{header} is not in include/wdk; a driver includes nothing else"
        elif path.startswith("include/wdk/"):
            near = os.path.normpath(os.path.dirname(path) + "/" + header).replace(os.sep, "/")
            if near in paths or "include/wdk/" + header in paths or header in COMPILER_HEADERS | GENERATED_HEADERS:
                continue
            if is_guarded_for_elf(text, number):
                continue
            yield number, f"{header} is not in include/wdk"


def is_guarded_for_elf(text, line):
    """A header of the WDK may include the C library where it is compiled for the runtime, or a compiler's own header by
    include_next."""
    depth = []
    for number, content in enumerate(text.splitlines(), 1):
        if number == line:
            return any(depth)
        directive = re.match(r"\s*#\s*(if\w*|else|elif|endif)(.*)", content)
        if not directive:
            continue
        kind, condition = directive.groups()
        if kind.startswith("if"):
            depth.append("__ELF__" in condition or "__linux__" in condition)
        elif kind == "endif" and depth:
            depth.pop()
    return False


def check_text(path, text):
    if not path.endswith(TEXT) and os.path.basename(path) not in ("CMakeLists.txt", "LICENSE"):
        return
    lines = text.split("\n")
    limit = MOST_LINES_OF_WDK if path.startswith("include/wdk/") else MOST_LINES
    if path.endswith(CODE + (".py", ".sh")) and len(lines) - 1 > limit:
        yield limit + 1, f"{len(lines) - 1} lines; split it at {limit}"
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end"
    if text.endswith("\n\n"):
        yield len(lines) - 1, "empty line at the end"
    for number, line in enumerate(lines, 1):
        if line.endswith("\r"):
            yield number, "carriage return"
        elif line != line.rstrip():
            yield number, "white space at the end of the line"
        if "\t" in line and path.endswith(CODE + (".py", ".cmake")):
            yield number, "tab"
        if not path.startswith("tests/tidy/"):
            found = MACHINE_PATH.search(line)
            if found:
                yield number, f"{found.group(0)} is a path of one machine"


def check_component(paths, root):
    """Every file of a component is built, and every component says what it is."""
    components = sorted({path.split("/")[1] for path in paths if re.match(r"src/\w+/.*\.cc$", path)})
    for component in components:
        folder = f"src/{component}/"
        lists = [path for path in paths if path.startswith(folder) and path.endswith("CMakeLists.txt")]
        if not lists:
            yield folder, 1, "no CMakeLists.txt"
            continue
        listed = ""
        for path in lists:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                listed += file.read()
        # crt/ is code of the other target: what is built there is its own list's business.
        for path in paths:
            if path.startswith(folder) and path.endswith(".cc") and "GLOB" not in listed:
                if not re.search(r"(?<![\w])" + re.escape(os.path.basename(path)) + r"\b", listed):
                    yield path, 1, "is in no CMakeLists.txt of its component"
        if f"{folder}README.md" not in paths:
            yield folder, 1, "no README.md"


def check_tree(root):
    paths = files_of(root)
    known = set(paths)
    findings = []
    for path in paths:
        if not path.endswith(TEXT) and os.path.basename(path) != "LICENSE":
            continue
        try:
            with open(os.path.join(root, path), encoding="utf-8", newline="") as file:
                text = file.read()
        except UnicodeDecodeError:
            findings.append((path, 1, "is not UTF-8"))
            continue
        for check in (check_host(path, text), check_includes(path, text, known, root), check_text(path, text)):
            findings += [(path, number, message) for number, message in check]
    findings += list(check_component(paths, root))
    return sorted(findings)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    findings = check_tree(os.path.normpath(root))
    for path, number, message in findings:
        print(f"{path}:{number}: {message}")
    if findings:
        print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
