//===- StepNames.cpp - What kinds of steps are called ---------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// In names of functions, comments and the manifest.
//===----------------------------------------------------------------------===//
#include "EmitSteps.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::embedded;

StringRef embedded::getKindName(Step::Kind kind) {
  switch (kind) {
  case Step::Gather:
    return "conv";
  case Step::Direct:
    return "linear";
  case Step::Depthwise:
    return "depthwise";
  case Step::Grouped:
    return "grouped";
  case Step::SumPool:
    return "sum_pool";
  case Step::MaxPool:
    return "max_pool";
  case Step::Resize:
    return "resize";
  case Step::Add:
    return "add";
  case Step::Multiply:
    return "multiply";
  case Step::Rescale:
    return "rescale";
  case Step::LookUp:
    return "look_up";
  case Step::Softmax:
    return "softmax";
  case Step::ArgReduce:
    return "arg_reduce";
  case Step::Move:
    return "move";
  case Step::Pick:
    return "pick";
  case Step::Pad:
    return "pad";
  case Step::Concat:
    return "concat";
  case Step::Recurrent:
    return "recurrent";
  }
  return "";
}
