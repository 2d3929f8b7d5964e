# ntio_component(NAME SOURCES ...)        one component of the runtime: objects that go into libntio
# ntio_component_test(NAME SOURCES ...)   a GoogleTest program over the whole runtime

set_property(GLOBAL PROPERTY NTIO_COMPONENTS "")
set_property(GLOBAL PROPERTY NTIO_COMPONENT_TESTS "")

function(ntio_component name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(ntio_${name} OBJECT ${ARG_SOURCES})
  add_dependencies(ntio_${name} ntio_ntstatus)
  target_include_directories(ntio_${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include
    ${CMAKE_SOURCE_DIR}/include/wdk ${NTIO_GENERATED_DIR}/wdk ${NTIO_GENERATED_DIR})
  target_link_libraries(ntio_${name} PUBLIC ntio_flags Threads::Threads ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY NTIO_COMPONENTS ntio_${name})
endfunction()

# libntio: all components. A shared library, so that the runtime's own data lies above MmUserProbeAddress.
function(ntio_link_runtime)
  get_property(components GLOBAL PROPERTY NTIO_COMPONENTS)
  set(objects)
  foreach(component ${components})
    list(APPEND objects $<TARGET_OBJECTS:${component}>)
  endforeach()
  add_library(ntio SHARED ${objects})
  foreach(directory ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/include/wdk ${NTIO_GENERATED_DIR}/wdk
          ${NTIO_GENERATED_DIR})
    target_include_directories(ntio PUBLIC $<BUILD_INTERFACE:${directory}>)
  endforeach()
  target_link_libraries(ntio PUBLIC $<BUILD_INTERFACE:ntio_flags> $<BUILD_INTERFACE:Threads::Threads>
    PRIVATE ${components} ${CMAKE_DL_LIBS})
  target_link_options(ntio PRIVATE -Wl,-Bsymbolic-functions)

  get_property(tests GLOBAL PROPERTY NTIO_COMPONENT_TESTS)
  foreach(test ${tests})
    target_link_libraries(${test} PRIVATE ntio)
  endforeach()
endfunction()

function(ntio_component_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES;DEFINES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  add_dependencies(${name} ntio_ntstatus)
  target_compile_definitions(${name} PRIVATE NTIO_BUILD_DIR="${CMAKE_BINARY_DIR}" ${ARG_DEFINES})
  target_link_libraries(${name} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY NTIO_COMPONENT_TESTS ${name})
  if(TARGET ntio)
    target_link_libraries(${name} PRIVATE ntio)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
endfunction()
