//===- LayerInputs.cpp - What a layer multiplies its weights with ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Positions outside the input are zeros, as they are for the layer.
//===----------------------------------------------------------------------===//
#include "LayerInputs.h"

using namespace mlir;
using namespace qopt;

static ArrayRef<int64_t> getShape(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

std::optional<LayerGeometry> LayerGeometry::get(Operation *op) {
  LayerGeometry geometry;
  ArrayRef<int64_t> weight = getShape(op->getOperand(1));
  if (auto matmul = dyn_cast<qg::MatmulOp>(op)) {
    if (weight.size() != 2)
      return std::nullopt;
    geometry.isTransposed = !matmul.getTransposeRhs();
    geometry.rows = weight[geometry.isTransposed ? 1 : 0];
    geometry.columns = weight[geometry.isTransposed ? 0 : 1];
    return geometry;
  }
  auto read = [&](auto conv) {
    geometry.groups = conv.getGroups();
    geometry.kernel.assign(weight.begin() + 1, weight.end() - 1);
  };
  if (auto conv = dyn_cast<qg::ConvTransposeOp>(op)) {
    read(conv);
    // Every tap multiplies all pixels of the input.
    for (int64_t extent : geometry.kernel)
      geometry.taps *= extent;
    geometry.kernel.clear();
    geometry.rows = weight.front() / geometry.groups * geometry.taps;
    geometry.columns = weight.back();
    return geometry;
  }
  auto conv = dyn_cast<qg::ConvOp>(op);
  if (!conv)
    return std::nullopt;
  read(conv);
  geometry.rows = weight.front() / geometry.groups;
  geometry.columns = weight.back();
  for (int64_t extent : geometry.kernel)
    geometry.columns *= extent;
  auto inner = [](ArrayRef<int64_t> shape) {
    return SmallVector<int64_t>(shape.drop_front().drop_back());
  };
  geometry.input = inner(getShape(conv.getX()));
  geometry.output = inner(getShape(conv.getResult()));
  geometry.strides.assign(conv.getStrides().begin(), conv.getStrides().end());
  geometry.pads.assign(conv.getPads().begin(), conv.getPads().end());
  geometry.dilations.assign(conv.getDilations().begin(),
                            conv.getDilations().end());
  return geometry;
}

int64_t LayerGeometry::element(int64_t group, int64_t row,
                               int64_t column) const {
  if (isTransposed)
    return column * rows + row;
  return (group * rows + row) * columns + column;
}

int64_t LayerGeometry::addMoments(const Tensor &x, int64_t limit, int64_t phase,
                                  std::vector<Matrix> &moments) const {
  ArrayRef<float> values = x.span<float>();
  int64_t channels = x.shape().back();
  int64_t perGroup = channels / groups;
  int64_t pixels = x.numElements() / std::max<int64_t>(channels, 1);
  int64_t inputs = getNumElements(input), outputs = getNumElements(output);
  int64_t samples =
      kernel.empty() ? pixels : pixels / std::max<int64_t>(inputs, 1) * outputs;
  int64_t step = std::max<int64_t>(1, (samples + limit - 1) / limit);
  int64_t count = 0;
  moments.resize(groups, Matrix());
  Matrix block;
  std::vector<int64_t> sources; // pixel of each row and tap, or -1
  int64_t window = kernel.empty() ? 1 : getNumElements(kernel);
  for (int64_t s = phase % step; s < samples; s += step, ++count) {
    if (kernel.empty()) {
      sources.push_back(s);
      continue;
    }
    for (int64_t tap = 0; tap < window; ++tap) {
      int64_t image = s / outputs, position = s % outputs, at = tap;
      int64_t source = 0, stride = 1;
      for (size_t d = kernel.size(); d-- > 0;) {
        int64_t i = position % output[d] * strides[d] +
                    at % kernel[d] * dilations[d] - pads[d];
        position /= output[d];
        at /= kernel[d];
        if (i < 0 || i >= input[d])
          source = -1;
        if (source >= 0)
          source += i * stride;
        stride *= input[d];
      }
      sources.push_back(source < 0 ? -1 : image * inputs + source);
    }
  }
  for (int64_t g = 0; g < groups; ++g) {
    block.setZero(columns, count);
    for (int64_t row = 0; row < count; ++row)
      for (int64_t tap = 0; tap < window; ++tap) {
        int64_t source = sources[row * window + tap];
        if (source < 0)
          continue;
        const float *pixel = values.data() + source * channels + g * perGroup;
        for (int64_t c = 0; c < perGroup; ++c)
          block(tap * perGroup + c, row) = pixel[c];
      }
    if (moments[g].size() == 0)
      moments[g].setZero(columns, columns);
    moments[g].noalias() += block * block.transpose();
  }
  return count;
}
