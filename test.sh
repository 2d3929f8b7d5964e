#!/bin/sh
# Builds ntio and runs every test: first the release build, then the same tests under AddressSanitizer and UBSan.
# Usage: ./test.sh [PRESET...]   PRESET: release, debug, asan, tsan, gcc (default: release asan)
set -eu
cd "$(dirname "$0")"
tools/install-deps.sh test
[ $# -gt 0 ] || set -- release asan
for preset; do
  ./build.sh "$preset"
  case $preset in release) directory=build ;; *) directory=build/$preset ;; esac
  ctest --test-dir "$directory" --output-on-failure --no-tests=error -j "$(nproc)"
done
