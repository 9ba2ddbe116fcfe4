//===- Conv.cpp - Convolutions --------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Conv, ConvTranspose and the windows they share with pooling. ONNX is
// channels-first, qg channels-last: transposes go around the op, those of
// constant weights are folded.
//===----------------------------------------------------------------------===//
#include "qopt/Frontend/ONNX/OpRegistry.h"
#include "qopt/Frontend/ONNX/Window.h"

using namespace mlir;
using namespace qopt;
using namespace qopt::frontend;

std::pair<int64_t, int64_t> frontend::splitPadding(int64_t total, bool upper) {
  total = std::max<int64_t>(total, 0);
  int64_t small = total / 2;
  return upper ? std::pair(small, total - small)
               : std::pair(total - small, small);
}

/// Extents, strides and dilations are small positive numbers; products with
/// them cannot overflow afterwards.
static bool checkNumbers(OpBinder &op, StringRef name, ArrayRef<int64_t> values,
                         size_t count, int64_t least) {
  if (values.size() != count) {
    (void)op.badModel("expects " + Twine(count) + " numbers in '" + name +
                      "', got " + Twine(values.size()));
    return false;
  }
  for (int64_t value : values)
    if (value < least || value > (int64_t(1) << 24)) {
      (void)op.badModel("expects numbers in [" + Twine(least) + ", 2^24] in '" +
                        name + "', got " + Twine(value));
      return false;
    }
  return true;
}

std::optional<WindowSpec> frontend::readWindow(OpBinder &op,
                                               ArrayRef<int64_t> spatial,
                                               ArrayRef<int64_t> kernel) {
  size_t rank = spatial.size();
  WindowSpec window;
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides = op.intsAttr("strides", Shape(rank, 1));
  window.dilations = op.intsAttr("dilations", Shape(rank, 1));
  window.pads = op.intsAttr("pads", Shape(2 * rank, 0));
  if (!checkNumbers(op, "kernel_shape", window.kernel, rank, 1) ||
      !checkNumbers(op, "strides", window.strides, rank, 1) ||
      !checkNumbers(op, "dilations", window.dilations, rank, 1) ||
      !checkNumbers(op, "pads", window.pads, 2 * rank, 0))
    return std::nullopt;
  std::string autoPad = op.stringAttr("auto_pad", "NOTSET");
  bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  if (!isSame && autoPad != "NOTSET" && autoPad != "VALID") {
    (void)op.badModel("expects 'auto_pad' NOTSET, SAME_UPPER, SAME_LOWER or "
                      "VALID, got " +
                      autoPad);
    return std::nullopt;
  }
  bool ceilMode = op.intAttr("ceil_mode", 0) != 0;
  for (size_t i = 0; i < rank; ++i) {
    int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t stride = window.strides[i];
    if (autoPad == "VALID")
      window.pads[i] = window.pads[i + rank] = 0;
    if (isSame) {
      int64_t extent = (spatial[i] + stride - 1) / stride;
      std::tie(window.pads[i], window.pads[i + rank]) = splitPadding(
          (extent - 1) * stride + reach - spatial[i], autoPad == "SAME_UPPER");
    }
    if (!ceilMode || isSame)
      continue;
    // A window more where it still starts inside the input or its left pad.
    int64_t padded = spatial[i] + window.pads[i] + window.pads[i + rank];
    int64_t extent = (padded - reach + stride - 1) / stride + 1;
    if ((extent - 1) * stride >= spatial[i] + window.pads[i])
      --extent;
    int64_t needed = (extent - 1) * stride + reach;
    window.pads[i + rank] += std::max<int64_t>(needed - padded, 0);
  }
  return window;
}

std::optional<WindowSpec> frontend::readConvWindow(OpBinder &op, Value x,
                                                   Value weight) {
  if (op.b.rank(x) < 3 || op.b.rank(weight) != op.b.rank(x)) {
    op.b.fail("expects x and weight of one rank >= 3, got " +
              formatShape(op.b.shape(x)) + " and " +
              formatShape(op.b.shape(weight)));
    return std::nullopt;
  }
  ArrayRef<int64_t> kernel = op.b.shape(weight).drop_front(2);
  Shape declared = op.intsAttr("kernel_shape", kernel);
  if (ArrayRef<int64_t>(declared) != kernel) {
    op.b.fail("expects 'kernel_shape' " + formatShape(kernel) +
              " as the weight has it, got " + formatShape(declared));
    return std::nullopt;
  }
  return readWindow(op, op.b.shape(x).drop_front(2), kernel);
}

Value frontend::buildConv(OpBinder &op, Value x, Value weight, Value bias) {
  if (!x || !weight)
    return {};
  auto window = readConvWindow(op, x, weight);
  if (!window)
    return {};
  int64_t groups = op.intAttr("group", 1);
  return op.b.toChannelsFirst(op.b.conv(op.b.toChannelsLast(x),
                                        op.b.toChannelsLast(weight), bias,
                                        *window, groups));
}

static LogicalResult importConv(OpBinder &op) {
  return op.result(buildConv(op, op.in(0), op.in(1), op.optional(2)));
}

/// pads of a transposed convolution from `output_shape` and `auto_pad`.
static bool bindTransposedPads(OpBinder &op, ArrayRef<int64_t> spatial,
                               WindowSpec &window) {
  size_t rank = spatial.size();
  std::string autoPad = op.stringAttr("auto_pad", "NOTSET");
  Shape wanted = op.intsAttr("output_shape");
  if (!wanted.empty() && wanted.size() == rank + 2)
    wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (!wanted.empty() && !checkNumbers(op, "output_shape", wanted, rank, 1))
    return false;
  bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  if (autoPad == "VALID")
    window.pads.assign(2 * rank, 0);
  if (!isSame && wanted.empty())
    return true;
  for (size_t i = 0; i < rank; ++i) {
    int64_t full = (spatial[i] - 1) * window.strides[i] +
                   (window.kernel[i] - 1) * window.dilations[i] + 1 +
                   window.outputPadding[i];
    int64_t extent =
        wanted.empty() ? spatial[i] * window.strides[i] : wanted[i];
    if (full < extent) {
      // The extra positions receive only the bias.
      window.pads[i] = 0;
      window.pads[i + rank] = full - extent;
      continue;
    }
    std::tie(window.pads[i], window.pads[i + rank]) =
        splitPadding(full - extent, autoPad == "SAME_UPPER");
  }
  return true;
}

static LogicalResult importConvTranspose(OpBinder &op) {
  Value x = op.in(0), weight = op.in(1), bias = op.optional(2);
  if (!x || !weight)
    return failure();
  int64_t rank = op.b.rank(x) - 2;
  if (rank < 1 || op.b.rank(weight) != rank + 2)
    return op.badModel("expects x and weight of one rank >= 3");
  int64_t groups = op.intAttr("group", 1);
  ArrayRef<int64_t> spatial = op.b.shape(x).drop_front(2);
  WindowSpec window;
  window.kernel.assign(op.b.shape(weight).begin() + 2,
                       op.b.shape(weight).end());
  Shape declared = op.intsAttr("kernel_shape", window.kernel);
  if (declared != window.kernel)
    return op.badModel("expects 'kernel_shape' " + formatShape(window.kernel) +
                       " as the weight has it, got " + formatShape(declared));
  window.strides = op.intsAttr("strides", Shape(rank, 1));
  window.dilations = op.intsAttr("dilations", Shape(rank, 1));
  window.pads = op.intsAttr("pads", Shape(2 * rank, 0));
  window.outputPadding = op.intsAttr("output_padding", Shape(rank, 0));
  if (!checkNumbers(op, "strides", window.strides, rank, 1) ||
      !checkNumbers(op, "dilations", window.dilations, rank, 1) ||
      !checkNumbers(op, "pads", window.pads, 2 * rank, 0) ||
      !checkNumbers(op, "output_padding", window.outputPadding, rank, 0) ||
      !bindTransposedPads(op, spatial, window))
    return failure();
  int64_t channels = op.b.extent(x, 1);
  if (groups < 1 || channels % groups || op.b.extent(weight, 0) != channels)
    return op.badModel(
        "expects a weight of " + Twine(channels) +
        " input channels, a multiple of group = " + Twine(groups) + ", got " +
        formatShape(op.b.shape(weight)));
  // [C, O/g, k...] -> [g, C/g, O/g, k...] -> [g, O/g, k..., C/g].
  Shape split{groups, channels / groups}, permutation{0, 2};
  split.append(op.b.shape(weight).begin() + 1, op.b.shape(weight).end());
  for (int64_t i = 0; i < rank; ++i)
    permutation.push_back(3 + i);
  permutation.push_back(1);
  Shape joined{groups * op.b.extent(weight, 1)};
  joined.append(window.kernel);
  joined.push_back(channels / groups);
  Value w = groups == 1 ? weight : op.b.reshape(weight, split);
  if (groups == 1) {
    permutation.assign({1});
    for (int64_t i = 0; i < rank; ++i)
      permutation.push_back(2 + i);
    permutation.push_back(0);
  }
  w = op.b.reshape(op.b.transpose(w, permutation), joined);
  return op.result(op.b.toChannelsFirst(
      op.b.convTranspose(op.b.toChannelsLast(x), w, bias, window, groups)));
}

void frontend::registerConvOps(OpRegistry &registry) {
  registry.add("Conv", 1, importConv);
  registry.add("ConvTranspose", 1, importConvTranspose);
}
