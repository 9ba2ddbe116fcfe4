//===- Passes.td - From linalg to step functions --------------------------===//
// SPDX-License-Identifier: Apache-2.0
#ifndef QOPT_TARGET_PASSES_TD
#define QOPT_TARGET_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseElementwise : Pass<"cpu-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Fuse scalar functions that follow each other";
  let description = [{
    A producer joins its only consumer where nothing is computed twice; splat
    constants become scalars.

    {{example test/Target/CPU/steps.mlir}}
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def BufferizeMain : Pass<"cpu-bufferize", "::mlir::ModuleOp"> {
  let summary = "Turn @main on tensors into @main on caller's buffers";
  let description = [{
    Every operand and result becomes a memref argument (results behind the
    operands); results are computed in the caller's buffers where that needs no
    copy. What remains is a straight line of `memref.alloc`, views and ops.

    Fails where @main has several blocks, or takes or gives anything but ranked
    tensors of elements that memory can hold.

    {{example test/Target/CPU/steps.mlir}}
  }];
  let dependentDialects = [
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect"];
}

def VerifyResults : Pass<"cpu-verify-results", "::mlir::ModuleOp"> {
  let summary = "Prove that no result is written over another value";
  let description = [{
    A result that was not computed in the caller's buffer is copied there at the
    end of @main. The pass fails if such a buffer is used by anything else
    before: then some value would be lost in it.

    {{example test/Target/CPU/results.mlir}}
  }];
}

def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every memref.alloc of @main an offset in one arena";
  let description = [{
    Buffers that are alive at the same time do not overlap; offsets are
    multiples of 64 bytes. `qopt.offset` is set on every `memref.alloc`,
    `qopt.arena_bytes` and `qopt.live_bytes` on the function. The latter is the
    bound: the largest sum of the bytes of buffers alive at one step.

    {{example test/Target/CPU/steps.mlir}}
  }];
}

def OutlineSteps : Pass<"cpu-outline-steps", "::mlir::ModuleOp"> {
  let summary = "Make a function of every step of @main";
  let description = [{
    A step function gets the buffers that it touches and a range of its
    outermost parallel loop: `(memref..., lo : index, hi : index)`. Steps that
    do the same on different buffers share one function. Ops of linalg become
    loops; any other op with regions is a step as it is, and
    `scf.for` over `index` with `qopt.parallel`, a constant number of iterations
    and no results gets the range, counted in iterations.

    Fails on a step whose results another op uses: steps meet in buffers.

    The calls in @main carry `qopt.extent` (1: not worth distributing),
    `qopt.grain` and `qopt.layer`.

    {{example test/Target/CPU/steps.mlir}}
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
    "::mlir::memref::MemRefDialect", "::mlir::affine::AffineDialect"];
}

def DropMain : Pass<"cpu-drop-main", "::mlir::ModuleOp"> {
  let summary = "Leave nothing but the step functions";
  let description = [{
    After `cpu-outline-steps` @main is a list of calls: the entry point is
    written from it in LLVM IR, and weights become one blob. What is left to
    lower are the functions that it called.

    Fails where @main still has a step of its own.

    {{example test/Target/CPU/drop-main.mlir}}
  }];
}

def FlattenViews : Pass<"cpu-flatten-views"> {
  let summary = "Give reshaped buffers their address without divisions";
  let description = [{
    A chain of `memref.collapse_shape` and `memref.expand_shape` of a whole buffer
    (static, row after row) becomes one `memref.reinterpret_cast`. Folding such
    views into loads divides each index by the extents that were merged, and what
    is divided has no neighbours that a vectorizer could see: reads become gathers.

    Views that only split dimensions stay (their indices are sums), as do parts of
    buffers.

    {{example test/Target/CPU/flatten-views.mlir}}
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def VectorsToLLVM : Pass<"cpu-vectors-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Lower vectors to the LLVM dialect for any width of an index";
  let description = [{
    `convert-vector-to-llvm` takes indices of 64 bits; 32-bit machines have
    narrower ones.

    {{example test/Target/CPU/vectors-to-llvm.mlir}}
  }];
  let options = [
    Option<"indexBits", "index-bits", "unsigned", "32", "bits of an index">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def HoldSigned : Pass<"fxp-hold-signed", "::mlir::func::FuncOp"> {
  let summary = "Hold unsigned bytes as signed ones below the interface";
  let description = [{
    A tensor of unsigned bytes becomes one of signed bytes, 128 less, and every
    zero point, clamp and table that knows it follows: targets multiply signed
    bytes only. Arguments and results keep their form; a lookup toggles the
    upper bit where they are read, and where they are written unless the op
    that computes them can write them unsigned.

    Fails where a tensor is read as signed and as unsigned integers.

    {{example test/Target/EmbeddedC/hold-signed.mlir}}
  }];
  let dependentDialects = ["::qopt::fxp::FXPDialect"];
}

#endif // QOPT_TARGET_PASSES_TD
