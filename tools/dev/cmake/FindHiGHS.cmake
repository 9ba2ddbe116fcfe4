# HiGHS by its C interface: of the system (libhighs-dev), or of the Python
# package highsbox, whose own CMake configuration names a folder that is not
# there and whose C++ symbols have another string ABI.
#
# Sets HiGHS_FOUND and the target HiGHS::C.
if(NOT HiGHS_highsbox AND QOPT_PYTHON)
  execute_process(COMMAND ${QOPT_PYTHON} -c
    "import highsbox, pathlib; print(pathlib.Path(highsbox.__file__).parent / 'highs_dist')"
    OUTPUT_VARIABLE HiGHS_highsbox OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET)
endif()
find_path(HiGHS_INCLUDE_DIR interfaces/highs_c_api.h
  HINTS ${HiGHS_highsbox}/include PATH_SUFFIXES highs)
find_library(HiGHS_LIBRARY highs HINTS ${HiGHS_highsbox}/lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(HiGHS
  REQUIRED_VARS HiGHS_LIBRARY HiGHS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "./dev setup installs it")
if(HiGHS_FOUND AND NOT TARGET HiGHS::C)
  add_library(HiGHS::C UNKNOWN IMPORTED GLOBAL)
  set_target_properties(HiGHS::C PROPERTIES
    IMPORTED_LOCATION ${HiGHS_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${HiGHS_INCLUDE_DIR})
endif()
mark_as_advanced(HiGHS_INCLUDE_DIR HiGHS_LIBRARY)
