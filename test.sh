#!/bin/sh
# Builds ntio and runs every test.
# Usage: ./test.sh [PRESET...]   PRESET: release (default), debug, asan (AddressSanitizer and UBSan), tsan, gcc
set -eu
cd "$(dirname "$0")"
tools/install-deps.sh test
[ $# -gt 0 ] || set -- release
for preset; do
  ./build.sh "$preset"
  case $preset in release) directory=build ;; *) directory=build/$preset ;; esac
  ctest --test-dir "$directory" --output-on-failure --no-tests=error -j "$(nproc)"
done
