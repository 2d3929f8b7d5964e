#!/bin/sh
# build_crt.sh CLANG LLD_LINK LLVM_LIB OUTPUT_DIRECTORY: builds crt.sys (the helper image) and ntio_driver.lib (what ntio-cc
# links into drivers) from this directory.
set -eu
clang=$1 lld_link=$2 llvm_lib=$3 out=$4
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
# -fno-builtin: a loop in memcpy must not become a call of memcpy.
flags="--target=x86_64-pc-windows-msvc -O2 -ffreestanding -fno-builtin -fms-extensions -fno-stack-protector -mno-red-zone
  -fasynchronous-unwind-tables -gdwarf -nostdinc -isystem $("$clang" -print-resource-dir)/include -Wall -Wextra -Wno-unused-parameter
  -ffile-prefix-map=$here=src/ldr/crt -fdebug-compilation-dir=."
for source in memory.c strings.c chkstk.S driver_support.c driver_cookie.c; do
  "$clang" $flags -c "$here/$source" -o "$out/${source%.*}.obj"
done
"$lld_link" /nologo /dll /driver /subsystem:native /nodefaultlib /debug:dwarf,symtab /Brepro /entry:_DllMainCRTStartup \
  "$out/memory.obj" "$out/strings.obj" "$out/chkstk.obj" /export:__chkstk /out:"$out/crt.sys" /implib:"$out/crt_unused.lib"
rm -f "$out/crt_unused.lib" "$out/ntio_driver.lib"
"$llvm_lib" /nologo /machine:x64 /out:"$out/ntio_driver.lib" "$out/driver_support.obj" "$out/driver_cookie.obj" "$out/chkstk.obj"
