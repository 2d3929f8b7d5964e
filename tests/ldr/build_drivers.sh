#!/bin/sh
# build_drivers.sh NTIO_CC BUILD_DIRECTORY OUTPUT_DIRECTORY: the drivers of the loader's tests.
set -eu
cc="$1 --sysroot $2" out=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
for tool in llvm-dlltool-22 llvm-dlltool-21 llvm-dlltool-20 llvm-dlltool-19 llvm-dlltool-18 llvm-dlltool-17 llvm-dlltool-16 llvm-dlltool; do
  command -v $tool >/dev/null && break
done
$tool -m i386:x86-64 -d "$here/test_imports.def" -l "$out/test_imports.lib"
imports="$out/test_imports.lib"
for level in 0 1 2; do
  $cc -w -O$level -o "$out/seh_cases_O$level.sys" "$here/seh_cases.c" $imports
done
$cc -w -o "$out/seh_low_level.sys" "$here/seh_low_level.c" "$here/seh_frames.S" $imports
$cc -w -o "$out/fault_cases.sys" "$here/fault_cases.c" $imports
$cc -w --dll -o "$out/exporter.sys" --implib "$out/exporter.lib" "$here/exporter.c" $imports
$cc -w -D NEEDS_EXPORTER -o "$out/importer.sys" "$here/loader_cases.c" "$out/exporter.lib" $imports
$cc -w -D NEEDS_MISSING -o "$out/missing.sys" "$here/loader_cases.c" $imports
$cc -w -D NEEDS_MISSING_DATA -o "$out/missing_data.sys" "$here/loader_cases.c" $imports
$cc -w -D NEEDS_COOKIE -f stack-protector-all -o "$out/cookie.sys" "$here/loader_cases.c" $imports
$cc -w -o "$out/plain.sys" "$here/loader_cases.c" $imports
$cc -w --link-argument /section:INIT,ERWD -o "$out/init_rwx.sys" "$here/loader_cases.c" $imports
touch "$out/done"
