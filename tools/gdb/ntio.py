"""gdb support for drivers loaded by ntio: source lines, breakpoints and complete stacks across driver and runtime frames.

    gdb -x tools/gdb/ntio.py --args ntio run ...

The loader calls nt_image_loaded(path, base, delta) for every image; a silent breakpoint there adds the image's symbols (DWARF, as
ntio-cc writes it) at its place. Frames of drivers are unwound by their .pdata, the tables that Windows itself uses.
Faults that the runtime handles (page-in, probes, emulated instructions) do not stop: `handle SIGSEGV stop` brings that back.
Works on a process that runs already, too: gdb -p PID -x tools/gdb/ntio.py

    ntio images            the images that are loaded
    ntio irp EXPRESSION    an IRP with its stack locations
    ntio devobj EXPRESSION a device object and its stack
    ntio drvobj EXPRESSION a driver object: devices, dispatch and fast I/O entries
"""

import bisect
import os
import struct

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder

REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"] + ["r%d" % i for i in range(8, 16)]
MASK = (1 << 64) - 1
CHAINED = 4
MAJOR_FUNCTIONS = """CREATE CREATE_NAMED_PIPE CLOSE READ WRITE QUERY_INFORMATION SET_INFORMATION QUERY_EA SET_EA FLUSH_BUFFERS
QUERY_VOLUME_INFORMATION SET_VOLUME_INFORMATION DIRECTORY_CONTROL FILE_SYSTEM_CONTROL DEVICE_CONTROL INTERNAL_DEVICE_CONTROL
SHUTDOWN LOCK_CONTROL CLEANUP CREATE_MAILSLOT QUERY_SECURITY SET_SECURITY POWER SYSTEM_CONTROL DEVICE_CHANGE QUERY_QUOTA SET_QUOTA
PNP""".split()


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


def add_image(path, base, delta):
    IMAGES.append(Image(path, base, delta))
    if not os.path.exists(path):
        return  # the runtime's own helper image, in an installed tree
    try:
        gdb.execute('add-symbol-file "%s" -o %#x' % (path, delta), to_string=True)
    except gdb.error as error:
        gdb.write("ntio: no symbols of %s: %s\n" % (path, error))


def remove_image(image):
    IMAGES.remove(image)
    try:
        gdb.execute("remove-symbol-file -a %#x" % (image.base + 0x1000), to_string=True)
    except gdb.error:
        pass


class ImageLoaded(gdb.Breakpoint):
    def __init__(self):
        super().__init__("nt_image_loaded", internal=True)
        self.silent = True

    def stop(self):
        path = gdb.parse_and_eval("(char*)$rdi").string()
        base = int(gdb.parse_and_eval("(unsigned long)$rsi")) & MASK
        delta = int(gdb.parse_and_eval("(long)$rdx")) & MASK
        add_image(path, base, delta)
        return False


class ImageUnloaded(gdb.Breakpoint):
    def __init__(self):
        super().__init__("nt_image_unloaded", internal=True)
        self.silent = True

    def stop(self):
        base = int(gdb.parse_and_eval("(unsigned long)$rsi")) & MASK
        for image in [i for i in IMAGES if i.base == base]:
            remove_image(image)
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


def plain_name(name):
    """?Read@SlotCursor@fat@@QEAA... as fat::SlotCursor::Read; other names as they are."""
    if not name or not name.startswith("?") or name.startswith("??") or "@@" not in name:
        return name
    scopes = name[1:name.index("@@")].split("@")
    return "::".join("(anonymous namespace)" if scope.startswith("?A") else scope for scope in reversed(scopes))


def without_arguments(name):
    """nt::Read(int) as nt::Read: gdb prints a decorated frame's name with the types of its arguments, and the arguments behind."""
    if not name.endswith(")"):
        return name
    depth = 0
    for at in range(len(name) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(name[at], 0)
        if depth == 0:
            return name if name[at:] == "(anonymous namespace)" else name[:at]
    return name


class PlainNames(FrameDecorator):
    def function(self):
        name = super().function()
        return plain_name(without_arguments(name)) if isinstance(name, str) else name


class PlainNamesFilter:
    """Inlined functions of C++ drivers keep Microsoft's mangled names, which gdb does not read."""

    def __init__(self):
        self.name, self.priority, self.enabled = "ntio-plain-names", 100, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        return map(PlainNames, frames)


def string_of(value):
    """A UNICODE_STRING."""
    length, buffer = int(value["Length"]), int(value["Buffer"])
    return read(buffer, length).decode("utf-16-le", "replace") if buffer and length else ""


def symbol_of(pointer):
    """What a code pointer points to, by name where there is one."""
    address = int(pointer) & MASK
    if not address:
        return "-"
    text = gdb.execute("info symbol %#x" % address, to_string=True)
    return "%#x" % address if text.startswith("No symbol") else "%#x %s" % (address, plain_name(text.split(" in section")[0]))


def driver_of(device):
    return string_of(device["DriverObject"]["DriverName"]) if int(device) and int(device["DriverObject"]) else "-"


def show(text, *arguments):
    gdb.write(text % arguments + "\n")


def show_images(_):
    for image in IMAGES:
        show("%#x-%#x  %s", image.base, image.base + image.size, image.path)


def show_irp(irp):
    current, count = int(irp["CurrentLocation"]), int(irp["StackCount"])
    show("Irp %#x: %d stack locations, the current one is %d%s", int(irp), count, current,
         "; completed, or not sent yet" if current > count else "")
    show("  Flags %#x, RequestorMode %s, status %#010x, Information %#x", int(irp["Flags"]),
         "UserMode" if int(irp["RequestorMode"]) else "KernelMode", int(irp["IoStatus"]["Status"]) & 0xFFFFFFFF,
         int(irp["IoStatus"]["Information"]))
    show("  MdlAddress %#x, UserBuffer %#x, SystemBuffer %#x, thread %#x", int(irp["MdlAddress"]), int(irp["UserBuffer"]),
         int(irp["AssociatedIrp"]["SystemBuffer"]), int(irp["Tail"]["Overlay"]["Thread"]))
    stack = (irp + 1).cast(gdb.lookup_type("_IO_STACK_LOCATION").pointer())
    for number in range(count, 0, -1):
        location = stack[number - 1]
        if number < current and not int(location["DeviceObject"]):
            continue
        major, minor = int(location["MajorFunction"]), int(location["MinorFunction"])
        name = MAJOR_FUNCTIONS[major] if major < len(MAJOR_FUNCTIONS) else "major %d" % major
        show("%s%3d  IRP_MJ_%s, minor %d, flags %#x, control %#x", ">" if number == current else " ", number, name, minor,
             int(location["Flags"]), int(location["Control"]))
        show("       device %#x %s, file %#x %s", int(location["DeviceObject"]), driver_of(location["DeviceObject"]),
             int(location["FileObject"]), string_of(location["FileObject"]["FileName"]) if int(location["FileObject"]) else "")
        if int(location["CompletionRoutine"]):
            show("       completion %s, context %#x", symbol_of(location["CompletionRoutine"]), int(location["Context"]))


def show_device(device):
    show("Device %#x: driver %#x %s, type %#x, flags %#x, characteristics %#x", int(device), int(device["DriverObject"]),
         driver_of(device), int(device["DeviceType"]), int(device["Flags"]), int(device["Characteristics"]))
    show("  extension %#x, stack size %d, sector %d, references %d, vpb %#x", int(device["DeviceExtension"]),
         int(device["StackSize"]), int(device["SectorSize"]), int(device["ReferenceCount"]), int(device["Vpb"]))
    vpb = device["Vpb"]
    if int(vpb) and int(vpb["DeviceObject"]):
        show("  mounted on it: %#x %s", int(vpb["DeviceObject"]), driver_of(vpb["DeviceObject"]))
    above = device["AttachedDevice"]
    while int(above):
        show("  attached to it: %#x %s", int(above), driver_of(above))
        above = above["AttachedDevice"]


def show_driver(driver):
    show("Driver %#x %s: image %#x, flags %#x", int(driver), string_of(driver["DriverName"]), int(driver["DriverStart"]),
         int(driver["Flags"]))
    show("  DriverUnload %s", symbol_of(driver["DriverUnload"]))
    for number, name in enumerate(MAJOR_FUNCTIONS):
        show("  IRP_MJ_%-24s %s", name, symbol_of(driver["MajorFunction"][number]))
    table = driver["FastIoDispatch"]
    for field in table.dereference().type.fields() if int(table) else []:
        if field.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and int(table[field.name]):
            show("  %-31s %s", field.name, symbol_of(table[field.name]))
    device = driver["DeviceObject"]
    while int(device):
        show("  device %#x, type %#x, flags %#x", int(device), int(device["DeviceType"]), int(device["Flags"]))
        device = device["NextDevice"]


class NtioCommand(gdb.Command):
    """ntio images; ntio irp|devobj|drvobj EXPRESSION: the loaded images; an IRP, a device or a driver object in full."""

    COMMANDS = {"irp": ("_IRP", show_irp), "devobj": ("_DEVICE_OBJECT", show_device), "drvobj": ("_DRIVER_OBJECT", show_driver)}

    def __init__(self):
        super().__init__("ntio", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        word, _, expression = argument.strip().partition(" ")
        if word == "images" and not expression:
            return show_images(None)
        if word not in self.COMMANDS or not expression:
            raise gdb.GdbError("usage: ntio images | ntio irp|devobj|drvobj EXPRESSION")
        kind, shower = self.COMMANDS[word]
        address = int(gdb.parse_and_eval(expression).cast(gdb.lookup_type("unsigned long")))
        try:
            shower(gdb.Value(address).cast(gdb.lookup_type(kind).pointer()))
        except gdb.MemoryError as error:
            raise gdb.GdbError("ntio: %#x is no %s: %s" % (address, kind, error))

    def complete(self, text, word):
        return [name for name in ("images", *self.COMMANDS) if name.startswith(word)] if " " not in text else gdb.COMPLETE_EXPRESSION


def adopt_images():
    """Images of a process that gdb was attached to."""
    slots = gdb.lookup_global_symbol("nt::ldr::g_image_slots").value()
    count = slots.type.range()[1] + 1
    pointers = struct.unpack("<%dQ" % count, read(int(slots.address), 8 * count))
    kind = gdb.lookup_type("nt::ldr::Image").pointer()
    for pointer in dict.fromkeys(p for p in pointers if p):
        image = gdb.Value(pointer).cast(kind)
        base = int(image["base"])
        path = image["path"]["_M_dataplus"]["_M_p"].string()
        add_image(path, base, (base - int(image["preferred_base"])) & MASK)


def runtime_loaded(event):
    """The breakpoints, once the runtime is there: as a library, or linked into the program."""
    if gdb.lookup_global_symbol("nt_image_loaded") is None:
        return
    gdb.events.new_objfile.disconnect(runtime_loaded)
    ImageLoaded()
    ImageUnloaded()
    if gdb.selected_inferior().pid and event is None:
        adopt_images()


def exited(_):
    for image in list(IMAGES):
        remove_image(image)


gdb.unwinder.register_unwinder(None, DriverUnwinder(), replace=True)
gdb.execute("set breakpoint pending on", to_string=True)
gdb.execute("handle SIGSEGV nostop noprint pass", to_string=True)
PlainNamesFilter()
NtioCommand()
gdb.events.exited.connect(exited)
gdb.events.new_objfile.connect(runtime_loaded)
runtime_loaded(None)
