//===- Kinds.td - Names of scalar functions, reductions and modes ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// The enumerations that Numerics defines and the dialects print. They live
// below the IR so that the arithmetic (Elementwise.h) needs no IR headers.
//===----------------------------------------------------------------------===//
#ifndef QOPT_NUMERICS_KINDS_TD
#define QOPT_NUMERICS_KINDS_TD

include "mlir/IR/EnumAttr.td"

class QoptEnum<string name, string summary, list<string> names>
    : I32EnumAttr<name, summary,
        !foreach(i, !range(!size(names)), I32EnumAttrCase<
          !subst(" ", "", names[i]), i, names[i]>)> {
  let genSpecializedAttr = 0;
  let cppNamespace = "::qopt";
}

def UnaryKind : QoptEnum<"UnaryKind", "scalar function of one value", [
  "abs", "neg", "sign", "relu", "floor", "ceil", "round_even", "sqrt", "rsqrt",
  "exp", "log", "erf", "sigmoid", "sin", "cos", "tan", "asin", "acos", "atan",
  "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "bit_not", "is_nan",
  "is_inf"]>;

def BinaryKind : QoptEnum<"BinaryKind", "scalar function of two values", [
  "add", "sub", "mul", "div", "rem", "mod", "pow", "min", "max", "bit_and",
  "bit_or", "bit_xor", "shift_left", "shift_right"]>;

def ComparePredicate : QoptEnum<"ComparePredicate", "comparison", [
  "eq", "ne", "lt", "le", "gt", "ge"]>;

def ReduceKind : QoptEnum<"ReduceKind", "reduction", [
  "sum", "prod", "max", "min"]>;

def PoolKind : QoptEnum<"PoolKind", "pooling", ["max", "avg"]>;

def PadMode : QoptEnum<"PadMode", "padding", [
  "constant", "reflect", "edge", "wrap"]>;

def ResizeMode : QoptEnum<"ResizeMode", "interpolation", ["linear", "cubic"]>;

def ResizeCoordinates : QoptEnum<"ResizeCoordinates",
  "where an output position lies in the input", [
  "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
  "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"]>;

def ScatterKind : QoptEnum<"ScatterKind", "what an update does", [
  "replace", "add", "mul", "min", "max"]>;

#endif // QOPT_NUMERICS_KINDS_TD
