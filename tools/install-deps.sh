#!/bin/sh
# Installs what the build, the tests and the demo need from Debian's packages; does nothing when all are there.
# Usage: install-deps.sh [build|test]   (test adds what only the tests and the demo use)
set -eu

build="clang-22 lld-22 llvm-22 libclang-rt-22-dev cmake ninja-build g++ pkg-config python3 mingw-w64-common libzydis-dev
       liburing-dev libfmt-dev libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev libbenchmark-dev"
test="dosfstools mtools fdisk gdisk gdb linux-libc-dev"

wanted=$build
[ "${1:-build}" = test ] && wanted="$build $test"

missing=
for package in $wanted; do
  dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null; then as_root=sudo; else
  echo "ntio needs these Debian packages; install them as root and run this again:$missing" >&2
  exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
