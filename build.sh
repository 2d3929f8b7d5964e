#!/bin/sh
# Builds ntio: the program at build/bin/ntio, the drivers in build/drivers.
# Usage: ./build.sh [PRESET]   PRESET: release (default), debug, asan, tsan, gcc
set -eu
cd "$(dirname "$0")"
tools/install-deps.sh build
preset=${1:-release}
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
