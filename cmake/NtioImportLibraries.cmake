# What drivers are linked with: the import libraries of the runtime, one a module, from its own export table. Included once, after
# libntio exists.
find_program(NTIO_LLVM_DLLTOOL NAMES llvm-dlltool-22 llvm-dlltool-21 llvm-dlltool-20 llvm-dlltool-19 llvm-dlltool-18
             llvm-dlltool-17 llvm-dlltool-16 llvm-dlltool REQUIRED)
add_executable(ntio-export-list ${CMAKE_SOURCE_DIR}/tools/export_list.cc)
target_link_libraries(ntio-export-list PRIVATE ntio)
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/lib/ntoskrnl.lib
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/lib/def
  COMMAND ntio-export-list --def ${CMAKE_BINARY_DIR}/lib/def
  COMMAND ${CMAKE_COMMAND} -DDLLTOOL=${NTIO_LLVM_DLLTOOL} -DDEF_DIR=${CMAKE_BINARY_DIR}/lib/def -DOUT_DIR=${CMAKE_BINARY_DIR}/lib
          -P ${CMAKE_SOURCE_DIR}/cmake/MakeImportLibraries.cmake
  DEPENDS ntio-export-list ntio ${CMAKE_SOURCE_DIR}/cmake/MakeImportLibraries.cmake
  COMMENT "Making import libraries"
  VERBATIM)
add_custom_target(ntio_import_libraries ALL DEPENDS ${CMAKE_BINARY_DIR}/lib/ntoskrnl.lib ntio_crt)

set_property(GLOBAL PROPERTY NTIO_CC ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/ntio-cc --sysroot ${CMAKE_BINARY_DIR})
set_property(GLOBAL PROPERTY NTIO_CC_DEPENDS
  ${CMAKE_SOURCE_DIR}/tools/ntio-cc ntio_import_libraries ${CMAKE_BINARY_DIR}/lib/ntoskrnl.lib)
