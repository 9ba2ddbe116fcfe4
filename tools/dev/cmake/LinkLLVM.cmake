# What qopt links of LLVM: QOPT_LLVM_LIBRARIES, the two shared libraries; in a
# release (QOPT_STATIC) the archives, of which the linker takes what is reached.
if(NOT QOPT_STATIC)
  set(QOPT_LLVM_LIBRARIES MLIR LLVM)
  return()
endif()

# Of the 22 targets that Debian builds: what qopt has kernels, ABIs and tests for.
set(QOPT_LLVM_TARGETS X86 AArch64 ARM RISCV)
llvm_map_components_to_libnames(archives ${QOPT_LLVM_TARGETS} BitWriter CodeGen
  AsmPrinter Core FrontendOpenACC FrontendOffloading FrontendOpenMP IRReader
  Linker MC Object OrcJIT Passes Remarks Support Target TargetParser)
# Debian built MLIR on libLLVM.so, and its archives say so: next to the archives
# of LLVM that would be LLVM twice.
foreach(library ${MLIR_EXPORTED_TARGETS})
  get_target_property(needs ${library} INTERFACE_LINK_LIBRARIES)
  if(needs)
    list(REMOVE_ITEM needs LLVM MLIR)
    set_target_properties(${library} PROPERTIES
      INTERFACE_LINK_LIBRARIES "${needs}")
  endif()
endforeach()
set_property(TARGET MLIRSupport APPEND PROPERTY INTERFACE_LINK_LIBRARIES
             ${archives})
# Only headers of the solver z3 are compiled in; zstd is taken as an archive.
get_target_property(needs LLVMSupport INTERFACE_LINK_LIBRARIES)
list(FILTER needs EXCLUDE REGEX "libz3|zstd")
find_library(QOPT_ZSTD NAMES libzstd.a REQUIRED)
set_target_properties(LLVMSupport PROPERTIES
  INTERFACE_LINK_LIBRARIES "${needs};${QOPT_ZSTD}")
get_property(QOPT_LLVM_LIBRARIES GLOBAL PROPERTY MLIR_ALL_LIBS)
# Debian's archives are compiled with NDEBUG. One static link keeps one copy of a
# template of LLVM's headers: with ours, MLIR would check what its own code skips.
add_compile_definitions(NDEBUG)
# Only what is reached stays, equal functions once; nothing is exported but what
# a version script names.
add_link_options(-Wl,--gc-sections -Wl,--icf=safe -Wl,--as-needed -Wl,-s
                 -Wl,--exclude-libs,ALL)
