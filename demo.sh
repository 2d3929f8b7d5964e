#!/bin/sh
# What ntio does, in a minute: a FAT32 image made by mkfs.fat is served by fat.sys, a Windows driver, in a Linux process.
# Installs what it needs (Debian 12), builds, runs. Leaves nothing behind but build/.
set -eu
cd "$(dirname "$0")"
tools/install-deps.sh test
./build.sh release ntio_program driver_fat

ntio=$PWD/build/bin/ntio
tree=/usr/include/c++/12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
image=$work/volume.img
step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*" | sed "s|$ntio|ntio|g; s|$work/||g"; "$@"; }

step "A driver: built by clang as a Windows x64 .sys"
run "$ntio" info fat

step "A volume: mkfs.fat formats it, mtools puts a file on it"
run mkfs.fat -F 32 -n NTIO -C "$image" 262144
printf 'Hello from mtools.\n' >"$work/hello.txt"
run mcopy -i "$image" "$work/hello.txt" ::/hello.txt

step "The driver reads what mtools wrote"
run "$ntio" ls -l --disk "$image"
run "$ntio" cat --disk "$image" :/hello.txt

step "A tree goes in through fat.sys: $(find $tree -type f | wc -l) files"
run "$ntio" cp -r --disk "$image" --stats $tree :/cxx

step "mtools reads what the driver wrote"
mkdir "$work/by-mtools"
run mcopy -s -n -Q -i "$image" ::/cxx "$work/by-mtools/"
run diff -r $tree "$work/by-mtools/cxx" && echo "identical"

step "The tree comes out through fat.sys"
run "$ntio" cp -r --disk "$image" --stats :/cxx "$work/by-ntio"
run diff -r $tree "$work/by-ntio" && echo "identical"

step "The device tree"
run "$ntio" tree --disk "$image"

step "fsck.fat finds nothing to repair"
run fsck.fat -n "$image"
