# ntio_add_driver(NAME SOURCES ... [DEFINES ...] [INCLUDES ...] [LIBRARIES ...] [OPTIONS ...] [EXCLUDE_FROM_ALL])
#
# Builds ${CMAKE_BINARY_DIR}/drivers/NAME.sys with ntio-cc, as a user would. INCLUDES are directories, LIBRARIES are .lib
# files, OPTIONS go to ntio-cc as they are. The target is called driver_NAME; its property NTIO_DRIVER is the file. Where the
# variable NTIO_DRIVER_INSTALL_DIR is set, the driver is installed there.
#
# Part of ntio's own build and of its CMake package. Global properties say what is used: NTIO_CC, the command; NTIO_CC_DEPENDS,
# the files and targets that a driver is built anew for.
function(ntio_add_driver name)
  cmake_parse_arguments(ARG "EXCLUDE_FROM_ALL" "" "SOURCES;DEFINES;INCLUDES;LIBRARIES;OPTIONS" ${ARGN})
  set(output ${CMAKE_BINARY_DIR}/drivers/${name}.sys)
  get_property(compiler GLOBAL PROPERTY NTIO_CC)
  get_property(depends GLOBAL PROPERTY NTIO_CC_DEPENDS)
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
    COMMAND ${compiler} --depfile ${CMAKE_BINARY_DIR}/drivers/${name}.d -o ${output} ${arguments} ${ARG_OPTIONS} ${inputs}
    DEPENDS ${inputs} ${depends}
    DEPFILE ${CMAKE_BINARY_DIR}/drivers/${name}.d
    COMMENT "Building driver ${name}.sys"
    VERBATIM)
  if(ARG_EXCLUDE_FROM_ALL)
    add_custom_target(driver_${name} DEPENDS ${output})
  else()
    add_custom_target(driver_${name} ALL DEPENDS ${output})
    if(NTIO_DRIVER_INSTALL_DIR)
      install(FILES ${output} DESTINATION ${NTIO_DRIVER_INSTALL_DIR})
    endif()
  endif()
  set_target_properties(driver_${name} PROPERTIES NTIO_DRIVER ${output})
endfunction()
