#!/usr/bin/env python3
"""Makes the corpus of loader_fuzz: small drivers, and each of them with every field of its headers at its edges.

  make_loader_corpus.py OUT DRIVER.sys...
"""
import os
import shutil
import struct
import sys


def fields_of(image):
    """(name, offset, struct format) of each header field, and of each field of the tables that the directories name."""
    pe = struct.unpack_from("<I", image, 0x3C)[0]
    sections, optional_bytes = struct.unpack_from("<H", image, pe + 6)[0], struct.unpack_from("<H", image, pe + 20)[0]
    optional = pe + 24
    fields = [("e_magic", 0, "H"), ("e_lfanew", 0x3C, "I"), ("signature", pe, "I")]
    names = (("Machine", "H"), ("NumberOfSections", "H"), ("TimeDateStamp", "I"), ("PointerToSymbolTable", "I"),
             ("NumberOfSymbols", "I"), ("SizeOfOptionalHeader", "H"), ("Characteristics", "H"))
    at = pe + 4
    for name, form in names:
        fields.append((name, at, form))
        at += struct.calcsize(form)
    names = (("Magic", "H"), ("LinkerVersion", "H"), ("SizeOfCode", "I"), ("SizeOfInitializedData", "I"),
             ("SizeOfUninitializedData", "I"), ("AddressOfEntryPoint", "I"), ("BaseOfCode", "I"), ("ImageBase", "Q"),
             ("SectionAlignment", "I"), ("FileAlignment", "I"), ("OsVersion", "I"), ("ImageVersion", "I"),
             ("SubsystemVersion", "I"), ("Win32VersionValue", "I"), ("SizeOfImage", "I"), ("SizeOfHeaders", "I"),
             ("CheckSum", "I"), ("Subsystem", "H"), ("DllCharacteristics", "H"), ("SizeOfStackReserve", "Q"),
             ("SizeOfStackCommit", "Q"), ("SizeOfHeapReserve", "Q"), ("SizeOfHeapCommit", "Q"), ("LoaderFlags", "I"),
             ("NumberOfRvaAndSizes", "I"))
    at = optional
    for name, form in names:
        fields.append((name, at, form))
        at += struct.calcsize(form)
    directories = []
    for index in range(16):
        fields += [(f"Directory{index}.Rva", at, "I"), (f"Directory{index}.Size", at + 4, "I")]
        directories.append(struct.unpack_from("<II", image, at))
        at += 8
    places = []
    at = optional + optional_bytes
    for index in range(sections):
        fields += [(f"Section{index}.{name}", at + 8 + 4 * i, "I") for i, name in
                   enumerate(("VirtualSize", "VirtualAddress", "SizeOfRawData", "PointerToRawData"))]
        fields.append((f"Section{index}.Characteristics", at + 36, "I"))
        places.append(struct.unpack_from("<IIII", image, at + 8))
        at += 40
    for index, (rva, size) in enumerate(directories):  # the head of each table
        for virtual_size, address, raw_size, raw in places:
            if rva and address <= rva < address + max(virtual_size, raw_size):
                start = raw + rva - address
                fields += [(f"Table{index}+{i}", start + i, "I") for i in range(0, min(size, 80) & ~3, 4)
                           if start + i + 4 <= len(image)]
    return fields


def main():
    out, drivers = sys.argv[1], sys.argv[2:]
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)

    def write(name, content):
        with open(os.path.join(out, name), "wb") as file:
            file.write(content)

    write("empty", b"")
    write("text", b"not a driver\n")
    write("mz", b"MZ")
    for driver in drivers:
        base = os.path.splitext(os.path.basename(driver))[0]
        with open(driver, "rb") as file:
            image = file.read()
        write(base, image)
        for cut in (0x3F, 0x80, 0x180, 0x3FF, 0x400, len(image) // 2, len(image) - 1):
            write(f"{base}-cut-{cut}", image[:cut])
        for name, at, form in fields_of(image):
            bits = 8 * struct.calcsize(form)
            old = struct.unpack_from("<" + form, image, at)[0]
            for value in {0, 1, old + 1, old - 1, old * 2, (1 << bits) - 1, 1 << (bits - 1), (1 << bits) - 0x1000}:
                changed = bytearray(image)
                struct.pack_into("<" + form, changed, at, value % (1 << bits))
                if changed != image:
                    write(f"{base}-{name}-{value % (1 << bits):x}", changed)


if __name__ == "__main__":
    main()
