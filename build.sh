#!/bin/sh
# Builds ntio: the program at build/bin/ntio, the drivers in build/drivers.
# Usage: ./build.sh [PRESET [TARGET...]]   PRESET: release (default), debug, asan, tsan, gcc; without TARGET everything
set -eu
cd "$(dirname "$0")"
tools/install-deps.sh build
preset=${1:-release}
[ $# -eq 0 ] || shift
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" ${1:+--target "$@"}
