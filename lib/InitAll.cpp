//===- InitAll.cpp - The one list of everything ---------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Kept in one file because it includes the headers of every dialect.
//===----------------------------------------------------------------------===//
#include "qopt/InitAll.h"
#include "qopt/Assignment/Passes.h"
#include "qopt/Calibration/Passes.h"
#include "qopt/Conversion/Passes.h"
#include "qopt/Dialect/FXP/IR/FXP.h"
#include "qopt/Dialect/QG/IR/QG.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Target/CPU/Emit.h"
#include "qopt/Target/CPU/IR/QCPU.h"
#include "qopt/Target/CPU/Kernels/Passes.h"
#include "qopt/Target/HLS/IR/HLS.h"
#include "qopt/Target/HLS/Passes.h"
#include "qopt/Target/Passes.h"
#include "qopt/Target/Target.h"
#include "qopt/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Transforms/Passes.h"

using namespace qopt;

void qopt::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<qg::QGDialect, fxp::FXPDialect, hls::HLSDialect,
                  qcpu::QCPUDialect>();
  qcpu::registerBufferizableOpInterfaces(registry);
  registerCPUTarget(registry);
  registry.insert<mlir::affine::AffineDialect, mlir::arith::ArithDialect,
                  mlir::bufferization::BufferizationDialect,
                  mlir::cf::ControlFlowDialect, mlir::func::FuncDialect,
                  mlir::linalg::LinalgDialect, mlir::LLVM::LLVMDialect,
                  mlir::math::MathDialect, mlir::memref::MemRefDialect,
                  mlir::scf::SCFDialect, mlir::tensor::TensorDialect,
                  mlir::vector::VectorDialect>();
}

void qopt::registerAllPasses() {
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  registerQoptAssignmentPasses();
  registerQoptCalibrationPasses();
  registerQoptConversionPasses();
  registerQoptTargetPasses();
  hls::registerQoptHLSPasses();
  registerQoptTransformsPasses();
  qcpu::registerQoptCPUKernelsPasses();
  registerPipelines();
  registerTargetPipelines();
}
