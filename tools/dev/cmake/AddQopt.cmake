# How qopt's libraries, TableGen outputs and tools are declared.
#
# Every folder of lib/ is an OBJECT library of the files that lie in it; all of
# them together are libQopt.so, which is linked to libMLIR and libLLVM and
# nothing else of LLVM. Which folder may include which is checked by
# tools/dev/check_layers.py, not by the linker.
#
# Files are not listed: what is added (a pass, a verb, a rounding) is a file, and
# a list beside it would be one more place to edit, where branches meet. With
# CONFIGURE_DEPENDS ninja looks at the folders before it builds, so a new file is
# built and a deleted one forgotten without being told.

set(QOPT_COMPILE_OPTIONS -Wall -Wextra -Wno-unused-parameter -fno-exceptions
    -ffp-contract=off)
if(QOPT_SANITIZE)
  list(APPEND QOPT_COMPILE_OPTIONS -fsanitize=address,undefined
       -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  add_link_options(-fsanitize=address,undefined)
endif()
# Counters of what an input reached; the runtime of the sanitizers has them, so
# that every tool links, too.
if(QOPT_FUZZERS)
  list(APPEND QOPT_COMPILE_OPTIONS -fsanitize=fuzzer-no-link)
endif()

# One precompiled header for every library that includes MLIR. Its text is not
# named beside it: that path is the only one that ccache cannot make relative.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
add_library(QoptPch OBJECT ${CMAKE_SOURCE_DIR}/tools/dev/cmake/Pch.cpp)
target_compile_options(QoptPch PRIVATE ${QOPT_COMPILE_OPTIONS})
if(QOPT_PCH)
  target_compile_options(QoptPch PRIVATE -Xclang -fno-pch-timestamp)
  target_precompile_headers(QoptPch PRIVATE
    <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/BuiltinTypes.h>
    <mlir/IR/BuiltinAttributes.h> <mlir/IR/PatternMatch.h>
    <mlir/IR/DialectResourceBlobManager.h>
    <mlir/Pass/Pass.h> <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Linalg/IR/Linalg.h>
    <mlir/Dialect/Tensor/IR/Tensor.h> <mlir/Dialect/MemRef/IR/MemRef.h>
    <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Vector/IR/VectorOps.h>
    <mlir/Dialect/LLVMIR/LLVMDialect.h> <mlir/Dialect/Math/IR/Math.h>
    <mlir/Transforms/DialectConversion.h>
    <mlir/Transforms/GreedyPatternRewriteDriver.h>)
endif()

# qopt_glob(variable): the .cpp files of this folder and of those below it that
# have no CMakeLists.txt of their own, sorted.
function(qopt_glob variable)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS
       RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cpp)
  file(GLOB_RECURSE own RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} */CMakeLists.txt)
  foreach(list ${own})
    get_filename_component(folder ${list} DIRECTORY)
    list(FILTER files EXCLUDE REGEX "^${folder}/")
  endforeach()
  set(${variable} ${files} PARENT_SCOPE)
endfunction()

# qopt_add_library(Name [NO_PCH] [a.cpp ...]): the files, or else the folder.
function(qopt_add_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "DEPENDS" ${ARGN})
  set(files ${ARG_UNPARSED_ARGUMENTS})
  if(NOT files)
    qopt_glob(files)
  endif()
  add_library(Qopt${name} OBJECT ${files})
  target_compile_options(Qopt${name} PRIVATE ${QOPT_COMPILE_OPTIONS})
  add_dependencies(Qopt${name} QoptTableGen ${ARG_DEPENDS})
  if(QOPT_PCH AND NOT ARG_NO_PCH)
    target_compile_options(Qopt${name} PRIVATE -Xclang -fno-pch-timestamp)
    target_precompile_headers(Qopt${name} REUSE_FROM QoptPch)
  endif()
  set_property(GLOBAL APPEND PROPERTY QOPT_LIBRARIES Qopt${name})
endfunction()

# qopt_tablegen(File.td Out.inc -gen-x [...]): an output in the build's include
# folder that mirrors the source folder.
function(qopt_tablegen td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(rest ${ARGN})
  while(rest)
    list(POP_FRONT rest out)
    set(flags)
    while(rest)
      list(GET rest 0 next)
      if(NOT next MATCHES "^-")
        break()
      endif()
      list(APPEND flags ${next})
      list(POP_FRONT rest)
    endwhile()
    mlir_tablegen(${out} ${flags} EXTRA_INCLUDES ${CMAKE_SOURCE_DIR}/include)
    list(APPEND outputs ${CMAKE_CURRENT_BINARY_DIR}/${out})
  endwhile()
  # A generated file is known only to targets of its own directory.
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${td})
  string(MAKE_C_IDENTIFIER "QoptTableGen/${name}" name)
  add_custom_target(${name} DEPENDS ${outputs})
  set_property(GLOBAL APPEND PROPERTY QOPT_TABLEGEN ${name})
endfunction()

# qopt_passes(Group): Passes.td of this folder. Passes.h.inc declares and
# registers all passes of the group; NAME.h.inc is what the source of pass NAME
# includes, and changes with that pass only.
function(qopt_passes group)
  qopt_tablegen(Passes.td Passes.h.inc -gen-pass-decls -name=${group})
  # Read when CMake runs, which it does for each new source.
  file(STRINGS Passes.td definitions REGEX "^def ")
  set(outputs)
  foreach(line ${definitions})
    string(REGEX REPLACE "^def ([A-Za-z0-9]+).*" "\\1" name "${line}")
    list(APPEND outputs ${CMAKE_CURRENT_BINARY_DIR}/${name}.h.inc)
  endforeach()
  add_custom_command(OUTPUT ${outputs}
    COMMAND ${QOPT_PYTHON} ${CMAKE_SOURCE_DIR}/tools/dev/cmake/split_passes.py
            ${CMAKE_CURRENT_BINARY_DIR}/Passes.h.inc ${CMAKE_CURRENT_BINARY_DIR}
    DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/Passes.h.inc
            ${CMAKE_SOURCE_DIR}/tools/dev/cmake/split_passes.py)
  add_custom_target(QoptPasses${group} DEPENDS ${outputs})
  set_property(GLOBAL APPEND PROPERTY QOPT_TABLEGEN QoptPasses${group})
endfunction()

# qopt_add_tool(name a.cpp): an executable in bin/ on libQopt.so.
function(qopt_add_tool name)
  add_executable(${name} ${ARGN})
  target_compile_options(${name} PRIVATE ${QOPT_COMPILE_OPTIONS})
  add_dependencies(${name} QoptTableGen)
  target_link_libraries(${name} PRIVATE Qopt ${QOPT_LLVM_LIBRARIES})
  set_target_properties(${name} PROPERTIES INSTALL_RPATH
    "$ORIGIN/../lib:${LLVM_LIBRARY_DIR}")
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()
