# Compiler and flags of the runtime. Debian's clang 22 is the compiler; g++ 12 builds it as well.
option(NTIO_WERROR "Treat warnings as errors" ON)
option(NTIO_BENCH "Build the benchmarks" ON)
option(NTIO_FUZZ "Fuzz targets by libFuzzer, the loader instrumented for it (clang, with a sanitizer)" OFF)
set(NTIO_SANITIZE "" CACHE STRING "Sanitizers of the runtime: address,undefined or thread; empty for none")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

# -fno-strict-aliasing: NT's structures are read through other types (list entries, opaque words), by drivers and here.
add_library(ntio_flags INTERFACE)
target_compile_options(ntio_flags INTERFACE
  -Wall -Wextra -fms-extensions -fno-strict-aliasing -Wno-multichar -fno-omit-frame-pointer -fno-semantic-interposition -ftls-model=initial-exec
  $<$<BOOL:${NTIO_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(ntio_flags INTERFACE -Wthread-safety -Wno-microsoft -fuse-ld=lld -Wno-unused-command-line-argument)
  target_link_options(ntio_flags INTERFACE -fuse-ld=lld)
else()
  # GoogleTest's assertions after an `if`; strings given a literal, which g++ 12 takes for overlapping copies (its bug 105651).
  target_compile_options(ntio_flags INTERFACE -Wno-dangling-else -Wno-restrict)
endif()
if(NTIO_SANITIZE)
  target_compile_options(ntio_flags INTERFACE -fsanitize=${NTIO_SANITIZE})
  target_link_options(ntio_flags INTERFACE -fsanitize=${NTIO_SANITIZE})
  if(NTIO_SANITIZE MATCHES "undefined")
    # Driver structures are entered through ms_abi pointers of C types; UBSan's function check does not know them.
    target_compile_options(ntio_flags INTERFACE -fno-sanitize=vptr,function -fno-sanitize-recover=undefined)
  endif()
endif()
