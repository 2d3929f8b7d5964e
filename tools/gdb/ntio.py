"""gdb support for drivers loaded by ntio: source lines, breakpoints and complete stacks across driver and runtime frames.

    gdb -x tools/gdb/ntio.py --args ntio run ...

The loader calls nt_image_loaded(path, base, delta) for every image; a silent breakpoint there adds the image's symbols (DWARF, as
ntio-cc writes it) at its place. Frames of drivers are unwound by their .pdata, the tables that Windows itself uses.
Faults that the runtime handles (page-in, probes, emulated instructions) do not stop: `handle SIGSEGV stop` brings that back.

    ntio images            the images that are loaded
"""

import bisect
import struct

import gdb
from gdb.unwinder import Unwinder

REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] + ["r%d" % i for i in range(8, 16)]
MASK = (1 << 64) - 1
CHAINED = 4


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def read64(address):
    return struct.unpack("<Q", read(address, 8))[0]


class Image:
    def __init__(self, path, base, delta):
        self.path, self.base, self.delta = path, base, delta
        header = base + struct.unpack("<I", read(base + 0x3C, 4))[0]
        self.size = struct.unpack("<I", read(header + 24 + 56, 4))[0]
        table, size = struct.unpack("<II", read(header + 24 + 112 + 3 * 8, 8))
        rows = read(base + table, size // 12 * 12) if size else b""
        self.functions = list(struct.iter_unpack("<III", rows))
        self.begins = [row[0] for row in self.functions]

    def function(self, pc):
        """(begin, end, unwind) of the row that covers pc, or None for a leaf."""
        rva = pc - self.base
        index = bisect.bisect_right(self.begins, rva) - 1
        if index < 0 or rva >= self.functions[index][1]:
            return None
        row = self.functions[index]
        if row[2] & 1:
            row = struct.unpack("<III", read(self.base + (row[2] & ~1), 12))
        return row


IMAGES = []


def image_at(pc):
    for image in IMAGES:
        if image.base <= pc < image.base + image.size:
            return image
    return None


class ImageLoaded(gdb.Breakpoint):
    def __init__(self):
        super().__init__("nt_image_loaded", internal=True)
        self.silent = True

    def stop(self):
        path = gdb.parse_and_eval("(char*)$rdi").string()
        base = int(gdb.parse_and_eval("(unsigned long)$rsi")) & MASK
        delta = int(gdb.parse_and_eval("(long)$rdx")) & MASK
        IMAGES.append(Image(path, base, delta))
        try:
            gdb.execute("add-symbol-file %s -o %#x" % (path, delta), to_string=True)
        except gdb.error as error:
            gdb.write("ntio: no symbols of %s: %s\n" % (path, error))
        return False


class ImageUnloaded(gdb.Breakpoint):
    def __init__(self):
        super().__init__("nt_image_unloaded", internal=True)
        self.silent = True

    def stop(self):
        base = int(gdb.parse_and_eval("(unsigned long)$rsi")) & MASK
        for image in [i for i in IMAGES if i.base == base]:
            IMAGES.remove(image)
            header = image.base + 0x1000
            try:
                gdb.execute("remove-symbol-file -a %#x" % header, to_string=True)
            except gdb.error:
                pass
        return False


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def epilogue(code, registers, frame_register, begin, end, pc):
    """Finishes an epilogue that begins at pc; True when the code there is the rest of one. Changes registers."""
    trial = dict(registers)
    at = 0
    if code[:3] == b"\x48\x83\xc4":
        trial["rsp"] += struct.unpack_from("<b", code, 3)[0]
        at = 4
    elif code[:3] == b"\x48\x81\xc4":
        trial["rsp"] += struct.unpack_from("<i", code, 3)[0]
        at = 7
    elif frame_register and code[0] in (0x48, 0x49) and code[1] == 0x8D and code[2] & 0x38 == 0x20:
        if code[2] >> 6 == 1:
            trial["rsp"] = trial[frame_register] + struct.unpack_from("<b", code, 3)[0]
            at = 4
        elif code[2] >> 6 == 2:
            trial["rsp"] = trial[frame_register] + struct.unpack_from("<i", code, 3)[0]
            at = 7
    while True:
        if code[at] & 0xF8 == 0x58:
            register, size = REGISTERS[code[at] & 7], 1
        elif code[at] == 0x41 and code[at + 1] & 0xF8 == 0x58:
            register, size = REGISTERS[8 + (code[at + 1] & 7)], 2
        else:
            break
        trial[register] = read64(trial["rsp"])
        trial["rsp"] += 8
        at += size
    leaves = code[at] in (0xC3, 0xC2) or code[at:at + 2] in (b"\xf3\xc3", b"\xff\x25")
    if code[at] == 0xE9:
        target = pc + at + 5 + struct.unpack_from("<i", code, at + 1)[0]
        leaves = not begin <= target < end
    elif code[at] == 0xEB:
        target = pc + at + 2 + struct.unpack_from("<b", code, at + 1)[0]
        leaves = not begin <= target < end
    if leaves:
        registers.update(trial)
    return leaves


def unwind(image, pc, registers):
    """Moves registers to the caller. Returns the caller's pc and sp when a machine frame says so, else None."""
    row = image.function(pc)
    if row is None:
        return None
    begin, end, info = row
    first = True
    while True:
        head = read(image.base + info, 4)
        flags, prologue, count = head[0] >> 3, head[1], head[2]
        frame_register = REGISTERS[head[3] & 15] if head[3] & 15 else None
        codes = read(image.base + info + 4, count * 2 + 16)
        offset = pc - image.base - begin
        partial = 0 <= offset < prologue
        if first and not partial:
            code = read(pc, min(40, image.base + end - pc)) + b"\xcc" * 40
            if epilogue(code, registers, frame_register, image.base + begin, image.base + end, pc):
                return None
        frame = registers["rsp"]
        if frame_register:
            done = not partial or any(
                codes[2 * i + 1] & 15 == 3 and offset >= codes[2 * i] for i in range(count))
            if done:
                frame = registers[frame_register] - (head[3] >> 4) * 16
        i = 0
        while i < count:
            at, op, extra = codes[2 * i], codes[2 * i + 1] & 15, codes[2 * i + 1] >> 4
            word = struct.unpack_from("<H", codes, 2 * i + 2)[0]
            double = struct.unpack_from("<I", codes, 2 * i + 2)[0]
            i += [1, 3 if extra else 2, 1, 1, 2, 3, 1, 1, 2, 3, 1][op]
            if partial and offset < at:
                continue
            if op == 0:
                registers[REGISTERS[extra]] = read64(registers["rsp"])
                registers["rsp"] += 8
            elif op == 1:
                registers["rsp"] += double if extra else word * 8
            elif op == 2:
                registers["rsp"] += extra * 8 + 8
            elif op == 3:
                registers["rsp"] = registers[frame_register] - (head[3] >> 4) * 16
            elif op == 4:
                registers[REGISTERS[extra]] = read64(frame + word * 8)
            elif op == 5:
                registers[REGISTERS[extra]] = read64(frame + double)
            elif op == 10:
                place = registers["rsp"] + (8 if extra else 0)
                return read64(place), read64(place + 24)
        if not flags & CHAINED:
            return None
        begin, end, info = struct.unpack("<III", read(image.base + info + 4 + ((count + 1) & ~1) * 2, 12))
        first = False


class DriverUnwinder(Unwinder):
    def __init__(self):
        super().__init__("ntio-driver")

    def __call__(self, pending):
        pc = int(pending.read_register("rip")) & MASK
        image = image_at(pc)
        if image is None:
            return None
        registers = {name: int(pending.read_register(name)) & MASK for name in REGISTERS}
        try:
            row = image.function(pc)
            machine = unwind(image, pc, registers)
            if machine:
                caller, sp = machine
            else:
                caller, sp = read64(registers["rsp"]), registers["rsp"] + 8
        except gdb.MemoryError:
            return None
        start = image.base + row[0] if row else pc
        info = pending.create_unwind_info(FrameId(gdb.Value(sp), gdb.Value(start)))
        word = gdb.lookup_type("unsigned long")
        for name in REGISTERS:
            if name != "rsp":
                info.add_saved_register(name, gdb.Value(registers[name] & MASK).cast(word))
        info.add_saved_register("rip", gdb.Value(caller).cast(word))
        info.add_saved_register("rsp", gdb.Value(sp).cast(word))
        return info


class NtioCommand(gdb.Command):
    """ntio images: lists the driver images that are loaded."""

    def __init__(self):
        super().__init__("ntio", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        if argument.strip() != "images":
            raise gdb.GdbError("usage: ntio images")
        for image in IMAGES:
            gdb.write("%#x-%#x  %s\n" % (image.base, image.base + image.size, image.path))


gdb.unwinder.register_unwinder(None, DriverUnwinder(), replace=True)
gdb.execute("set breakpoint pending on", to_string=True)
gdb.execute("handle SIGSEGV nostop noprint pass", to_string=True)
ImageLoaded()
ImageUnloaded()
NtioCommand()
