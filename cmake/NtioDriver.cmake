# ntio_add_driver(NAME SOURCES ... [DEFINES ...] [INCLUDES ...] [LIBRARIES ...] [OPTIONS ...] [EXCLUDE_FROM_ALL])
#
# Builds ${CMAKE_BINARY_DIR}/drivers/NAME.sys with tools/ntio-cc, as a user would. INCLUDES are directories, LIBRARIES are .lib
# files, OPTIONS go to ntio-cc as they are. The target is called driver_NAME; its property NTIO_DRIVER is the file.
function(ntio_add_driver name)
  cmake_parse_arguments(ARG "EXCLUDE_FROM_ALL" "" "SOURCES;DEFINES;INCLUDES;LIBRARIES;OPTIONS" ${ARGN})
  set(output ${CMAKE_BINARY_DIR}/drivers/${name}.sys)
  set(arguments)
  foreach(directory ${ARG_INCLUDES})
    get_filename_component(directory ${directory} ABSOLUTE)
    list(APPEND arguments -I ${directory})
  endforeach()
  foreach(define ${ARG_DEFINES})
    list(APPEND arguments -D ${define})
  endforeach()
  set(inputs)
  foreach(source ${ARG_SOURCES} ${ARG_LIBRARIES})
    get_filename_component(source ${source} ABSOLUTE)
    list(APPEND inputs ${source})
  endforeach()
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/ntio-cc --sysroot ${CMAKE_BINARY_DIR}
            --depfile ${CMAKE_BINARY_DIR}/drivers/${name}.d -o ${output} ${arguments} ${ARG_OPTIONS} ${inputs}
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/tools/ntio-cc ntio_import_libraries ${CMAKE_BINARY_DIR}/lib/ntoskrnl.lib
    DEPFILE ${CMAKE_BINARY_DIR}/drivers/${name}.d
    COMMENT "Building driver ${name}.sys"
    VERBATIM)
  if(ARG_EXCLUDE_FROM_ALL)
    add_custom_target(driver_${name} DEPENDS ${output})
  else()
    add_custom_target(driver_${name} ALL DEPENDS ${output})
  endif()
  set_target_properties(driver_${name} PROPERTIES NTIO_DRIVER ${output})
endfunction()

# Called once, after libntio exists: the import libraries of the runtime, one a module, from its own export table.
function(ntio_add_import_libraries)
  find_program(NTIO_LLVM_DLLTOOL NAMES llvm-dlltool-22 llvm-dlltool-21 llvm-dlltool-20 llvm-dlltool-19 llvm-dlltool-18
               llvm-dlltool-17 llvm-dlltool-16 llvm-dlltool REQUIRED)
  add_executable(ntio-export-list ${CMAKE_SOURCE_DIR}/tools/export_list.cc)
  target_link_libraries(ntio-export-list PRIVATE ntio)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/lib/ntoskrnl.lib
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/lib/def
    COMMAND ntio-export-list --def ${CMAKE_BINARY_DIR}/lib/def
    COMMAND ${CMAKE_COMMAND} -DDLLTOOL=${NTIO_LLVM_DLLTOOL} -DDEF_DIR=${CMAKE_BINARY_DIR}/lib/def -DOUT_DIR=${CMAKE_BINARY_DIR}/lib
            -P ${CMAKE_SOURCE_DIR}/cmake/NtioImportLibraries.cmake
    DEPENDS ntio-export-list ntio ${CMAKE_SOURCE_DIR}/cmake/NtioImportLibraries.cmake
    COMMENT "Making import libraries"
    VERBATIM)
  add_custom_target(ntio_import_libraries ALL DEPENDS ${CMAKE_BINARY_DIR}/lib/ntoskrnl.lib ntio_crt)
  # Where ntio-cc looks: next to bin, whatever the library directory of the system is called.
  install(DIRECTORY ${CMAKE_BINARY_DIR}/lib/ DESTINATION lib/ntio FILES_MATCHING PATTERN "*.lib" PATTERN "def" EXCLUDE)
  install(PROGRAMS ${CMAKE_SOURCE_DIR}/tools/ntio-cc DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${CMAKE_SOURCE_DIR}/tools/gdb/ntio.py DESTINATION ${CMAKE_INSTALL_DATADIR}/ntio/gdb)
endfunction()

if(TARGET ntio AND NOT TARGET ntio-export-list)
  ntio_add_import_libraries()
endif()
