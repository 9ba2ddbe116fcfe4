//===- RandomGraphLinear.cpp - Convolutions, products, pools, reductions --===//
// SPDX-License-Identifier: Apache-2.0
//
// Ops whose result has another shape and another range than their operand.
//===----------------------------------------------------------------------===//
#include "RandomGraphGenerator.h"

#include <cmath>

using namespace qopt;
using namespace qopt::test::randomgraph;

/// Result of a linear op: encoded so that sums of `products` rarely saturate,
/// or f32.
Value Generator::makeLinearResult(const Value &x, Shape shape,
                                  int64_t products) {
  if (!x.scale || chance(30))
    return makeValue(std::move(shape), "f32");
  return makeEncoded(std::move(shape),
                     x.scale * 0.6f * std::sqrt(float(products)));
}

std::string Generator::clampOf(const Value &result) {
  if (!result.scale || chance(60))
    return "";
  bool isUnsigned = llvm::StringRef(result.element).contains("ui8");
  int64_t low = isUnsigned ? pick(0, 100) : pick(-128, 0);
  return " clamp " + print({low, pick(low, isUnsigned ? 255 : 127)});
}

bool Generator::addConv(const Value &x) {
  if (x.shape.size() != 4)
    return false;
  int64_t channels = x.shape[3], groups = 1, outputs = pick(1, 20);
  if (chance(35))
    groups = channels, outputs = channels * (chance(80) ? 1 : 2);
  else if (channels % 2 == 0 && chance(25))
    groups = 2, outputs = 2 * pick(1, 9);
  Shape kernel, strides, dilations, pads, shape{x.shape[0]};
  for (int64_t i = 1; i < 3; ++i) {
    kernel.push_back(pick(1, 3));
    strides.push_back(pick(1, 2));
    dilations.push_back(chance(80) ? 1 : 2);
    pads.push_back(chance(50) ? 0 : pick(0, kernel.back()));
  }
  for (int64_t i = 0; i < 2; ++i)
    pads.push_back(chance(60) ? pads[i] : pick(0, kernel[i]));
  for (int64_t i = 0; i < 2; ++i) {
    int64_t room = x.shape[i + 1] + pads[i] + pads[i + 2] -
                   (kernel[i] - 1) * dilations[i] - 1;
    if (room < 0)
      return false;
    shape.push_back(room / strides[i] + 1);
  }
  shape.push_back(outputs);
  Shape weightShape{outputs, kernel[0], kernel[1], channels / groups};
  Value weights =
      x.scale ? makeWeights(weightShape, 0) : makeFloats(weightShape);
  llvm::SmallVector<Value> operands{x, weights};
  std::string bias;
  if (chance(70)) {
    if (x.scale && weights.scale && chance(50))
      operands.push_back(makeConstant<int32_t>(
          {outputs}, "i32",
          "!qg.q<si32, " + print(x.scale * weights.scale) + " : 0>", -3000,
          3000));
    else
      operands.push_back(makeFloats({outputs}));
    bias = " bias " + operands[2].name;
  }
  Value result =
      makeLinearResult(x, shape, kernel[0] * kernel[1] * channels / groups);
  define(result,
         "qg.conv " + x.name + ", " + weights.name + bias + " strides " +
             print(strides) + " pads " + print(pads) + " dilations " +
             print(dilations) + " groups " + std::to_string(groups) +
             clampOf(result),
         operands);
  addRegionBehind(result, x.scale);
  return true;
}

bool Generator::addConvTranspose(const Value &x) {
  if (x.shape.size() != 4 || getNumElements(x.shape) > 600)
    return false;
  Shape kernel, strides, pads, extra, shape{x.shape[0]};
  for (int64_t i = 0; i < 2; ++i) {
    strides.push_back(pick(1, 2));
    kernel.push_back(chance(50) ? strides[i] : pick(strides[i], 3));
    pads.push_back(kernel[i] > 1 && x.shape[i + 1] > 2 ? pick(0, 1) : 0);
    extra.push_back(strides[i] > 1 ? pick(0, 1) : 0);
    shape.push_back((x.shape[i + 1] - 1) * strides[i] + kernel[i] -
                    2 * pads[i] + extra[i]);
    if (shape.back() < 1)
      return false;
  }
  pads.append({pads[0], pads[1]});
  int64_t outputs = pick(1, 6);
  shape.push_back(outputs);
  Shape weightShape{outputs, kernel[0], kernel[1], x.shape[3]};
  Value weights =
      x.scale ? makeWeights(weightShape, 0) : makeFloats(weightShape);
  Value result = makeLinearResult(x, shape, 2 * x.shape[3]);
  define(result,
         "qg.conv_transpose " + x.name + ", " + weights.name + " strides " +
             print(strides) + " pads " + print(pads) +
             " dilations [1, 1] output_padding " + print(extra) + " groups 1" +
             clampOf(result),
         {x, weights});
  return true;
}

bool Generator::addMatmul(const Value &x) {
  if (x.shape.size() < 2)
    return false;
  int64_t depth = x.shape.back(), outputs = pick(1, 20);
  bool isTransposed = chance(50);
  Shape shape = x.shape, weightShape{depth, outputs};
  shape.back() = outputs;
  if (isTransposed)
    std::swap(weightShape[0], weightShape[1]);
  if (chance(25)) {
    // Times itself, transposed: [.., M, K] x [.., M, K].
    shape.back() = x.shape[x.shape.size() - 2];
    Value result = makeLinearResult(x, shape, 4 * depth);
    define(result, "qg.matmul " + x.name + ", " + x.name + " transpose_rhs",
           {x, x});
    return true;
  }
  unsigned axis = isTransposed ? 0 : 1;
  // Floats whose rows are rounded at run time, or not at all.
  bool isDynamic = !x.scale && chance(35);
  Value weights = x.scale     ? makeWeights(weightShape, axis)
                  : isDynamic ? makeChannelWeights(weightShape, axis, 0.02f)
                              : makeFloats(weightShape);
  llvm::SmallVector<Value> operands{x, weights};
  std::string bias;
  if (chance(70)) {
    operands.push_back(makeFloats({outputs}));
    bias = " bias " + operands[2].name;
  }
  Value result = makeLinearResult(x, shape, depth);
  define(result,
         (isDynamic ? "qg.dynamic_matmul " : "qg.matmul ") + x.name + ", " + weights.name + bias +
             (isTransposed ? " transpose_rhs" : "") + clampOf(result),
         operands);
  addRegionBehind(result, x.scale);
  return true;
}

bool Generator::addPool(const Value &x) {
  if (x.shape.size() != 4)
    return false;
  bool isMax = chance(50), isWhole = chance(25);
  Shape kernel, strides, pads, shape{x.shape[0]};
  for (int64_t i = 0; i < 2; ++i) {
    kernel.push_back(isWhole ? x.shape[i + 1]
                             : pick(1, std::min<int64_t>(3, x.shape[i + 1])));
    strides.push_back(pick(1, 2));
    pads.push_back(isWhole || chance(50) ? 0 : kernel[i] / 2);
    shape.push_back((x.shape[i + 1] + 2 * pads[i] - kernel[i]) / strides[i] +
                    1);
  }
  pads.append({pads[0], pads[1]});
  shape.push_back(x.shape[3]);
  Value result = x.scale && !isMax ? makeEncoded(shape, x.scale)
                                   : makeValue(shape, x.element, x.scale);
  define(result,
         std::string("qg.pool ") + (isMax ? "max " : "avg ") + x.name +
             " kernel " + print(kernel) + " strides " + print(strides) +
             " pads " + print(pads) + " dilations [1, 1]" +
             (!isMax && chance(30) ? " count_include_pad" : ""),
         {x}, false);
  return true;
}

bool Generator::addReduce(const Value &x) {
  Shape axes, shape;
  int64_t count = 1;
  for (size_t i = 0; i < x.shape.size(); ++i)
    if (chance(50)) {
      axes.push_back(i);
      count *= x.shape[i];
    } else {
      shape.push_back(x.shape[i]);
    }
  if (axes.empty())
    return false;
  static const char *const kKinds[] = {"sum", "prod", "max", "min"};
  std::string kind = x.scale ? "sum" : pick(kKinds);
  if (!x.scale && chance(30)) {
    int64_t axis = axes[0];
    shape = x.shape;
    shape.erase(shape.begin() + axis);
    define(makeValue(shape, "i64"),
           std::string("qg.arg_reduce ") + (chance(50) ? "max " : "min ") +
               x.name + " axis " + std::to_string(axis) +
               (chance(30) ? " select_last" : ""),
           {x}, false);
    return true;
  }
  Value result = makeLinearResult(x, shape, 4 * count);
  define(result, "qg.reduce " + kind + " " + x.name + " axes " + print(axes),
         {x}, false);
  return true;
}
