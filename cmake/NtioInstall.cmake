# cmake --install: the program, the runtime, its headers and drivers, ntio-cc with what it links, the gdb script, and a CMake package
# with which an outside project builds drivers and tests of them. Nothing in it depends on the prefix.
include(CMakePackageConfigHelpers)

# The headers of Windows for tests: statuses, constants and structures that the API's requests carry.
add_library(ntio_wdk INTERFACE)
set_target_properties(ntio_wdk PROPERTIES EXPORT_NAME wdk)
target_compile_options(ntio_wdk INTERFACE -fms-extensions -Wno-multichar)
target_include_directories(ntio_wdk INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ntio/wdk>)

target_include_directories(ntio INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(ntio INTERFACE cxx_std_20)
if(NTIO_SANITIZE)  # a program cannot load a sanitized library without the sanitizer
  target_compile_options(ntio INTERFACE $<INSTALL_INTERFACE:-fsanitize=${NTIO_SANITIZE}>)
  target_link_options(ntio INTERFACE $<INSTALL_INTERFACE:-fsanitize=${NTIO_SANITIZE}>)
endif()
install(TARGETS ntio ntio_wdk EXPORT ntio LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

install(DIRECTORY include/wdk DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ntio FILES_MATCHING PATTERN "*.h")
install(FILES ${NTIO_GENERATED_DIR}/wdk/ntstatus.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ntio/wdk)
install(DIRECTORY include/ntio DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

install(PROGRAMS tools/ntio-cc DESTINATION ${CMAKE_INSTALL_BINDIR})
# Where ntio-cc looks: next to bin, whatever the library directory of the system is called.
install(DIRECTORY ${CMAKE_BINARY_DIR}/lib/ DESTINATION lib/ntio FILES_MATCHING PATTERN "*.lib" PATTERN "def" EXCLUDE)
install(FILES tools/gdb/ntio.py DESTINATION ${CMAKE_INSTALL_DATADIR}/ntio/gdb)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ntio)
install(EXPORT ntio NAMESPACE ntio:: FILE ntioTargets.cmake DESTINATION ${package})
set(NTIO_INSTALLED_CC ${CMAKE_INSTALL_BINDIR}/ntio-cc)
set(NTIO_INSTALLED_LIBRARIES lib/ntio)
configure_package_config_file(cmake/ntioConfig.cmake.in ${CMAKE_BINARY_DIR}/ntioConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS NTIO_INSTALLED_CC NTIO_INSTALLED_LIBRARIES)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ntioConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ntioConfig.cmake ${CMAKE_BINARY_DIR}/ntioConfigVersion.cmake cmake/NtioDriver.cmake
  DESTINATION ${package})
