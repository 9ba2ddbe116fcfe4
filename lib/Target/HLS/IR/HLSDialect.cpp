//===- HLSDialect.cpp - Registration and streams of hls -------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// The ops' own functions are beside their hardware, in Target/HLS/Layers.
//===----------------------------------------------------------------------===//
#include "qopt/Target/HLS/IR/HLS.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt::hls;

#include "qopt/Target/HLS/IR/HLSDialect.cpp.inc"
#include "qopt/Target/HLS/IR/HLSInterfaces.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "qopt/Target/HLS/IR/HLSTypes.cpp.inc"
#define GET_OP_CLASSES
#include "qopt/Target/HLS/IR/HLSOps.cpp.inc"

void HLSDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "qopt/Target/HLS/IR/HLSTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/Target/HLS/IR/HLSOps.cpp.inc"
      >();
}

LogicalResult StreamType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t tokens, int64_t lanes,
                                 IntegerType element) {
  if (tokens < 1 || lanes < 1)
    return emitError() << "expects at least one token and one lane, got "
                       << tokens << " and " << lanes;
  if (element.isSignless() || element.getWidth() < 1 || element.getWidth() > 48)
    return emitError() << "expects a signed or unsigned element of 1 to 48 "
                          "bits, got "
                       << element;
  return success();
}

int64_t StreamType::getLow() const {
  return isSigned() ? -(int64_t(1) << (getBits() - 1)) : 0;
}

int64_t StreamType::getHigh() const {
  return (int64_t(1) << (isSigned() ? getBits() - 1 : getBits())) - 1;
}

StreamType StreamType::withLanes(int64_t lanes) const {
  return get(getContext(), getElements() / lanes, lanes, getElement());
}
