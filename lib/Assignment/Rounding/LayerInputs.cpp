//===- LayerInputs.cpp - What a layer multiplies its weights with ---------===//
// SPDX-License-Identifier: Apache-2.0
//
// Positions outside the input are zeros, as they are for the layer.
//===----------------------------------------------------------------------===//
#include "LayerInputs.h"
#include "MatrixKernels.h"

#include "llvm/Support/Parallel.h"

using namespace mlir;
using namespace qopt;

/// Rows worth a product.
static constexpr int64_t kEnoughRows = 256;
/// Rows of a moment that a thread takes at a time.
static constexpr int64_t kTileRows = 128;

std::optional<LayerGeometry> LayerGeometry::get(LinearOpInterface op) {
  if (!op.isShared())
    return std::nullopt;
  LinearGeometry linear = op.getLinearGeometry();
  ArrayRef<int64_t> weight = getShape(op.getWeight());
  LayerGeometry geometry;
  geometry.isTransposed = linear.outputAxis > linear.inputAxis;
  geometry.groups = linear.groups;
  geometry.rows = weight[linear.outputAxis] / linear.groups;
  geometry.columns = weight[linear.inputAxis];
  if (linear.isTransposed) {
    // Every tap multiplies all pixels of the input.
    geometry.taps = linear.countTaps();
    geometry.rows *= geometry.taps;
    return geometry;
  }
  if (!linear.window)
    return geometry;
  auto copy = [](ArrayRef<int64_t> list) { return SmallVector<int64_t>(list); };
  geometry.columns *= linear.countTaps();
  geometry.input = copy(getShape(op.getInput()).drop_front().drop_back());
  geometry.output = copy(getShape(op->getResult(0)).drop_front().drop_back());
  geometry.kernel = copy(linear.window->kernel);
  geometry.strides = copy(linear.window->strides);
  geometry.pads = copy(linear.window->pads);
  geometry.dilations = copy(linear.window->dilations);
  return geometry;
}

int64_t LayerGeometry::element(int64_t group, int64_t row,
                               int64_t column) const {
  if (isTransposed)
    return column * rows + row;
  return (group * rows + row) * columns + column;
}

int64_t LayerGeometry::numTaps() const {
  return kernel.empty() ? 1 : getNumElements(kernel);
}

std::vector<int64_t> LayerGeometry::getOffsets(int64_t channels) const {
  int64_t perGroup = std::max<int64_t>(1, channels / groups);
  std::vector<int64_t> offsets;
  for (int64_t tap = 0; tap < numTaps(); ++tap)
    for (int64_t c = 0; c < perGroup; ++c)
      offsets.push_back(tap * channels + c);
  return offsets;
}

int64_t LayerGeometry::gather(const Tensor &x, int64_t limit, int64_t phase,
                              std::vector<float> &to) const {
  ArrayRef<float> values = x.span<float>();
  int64_t channels = x.shape().back();
  int64_t pixels = x.numElements() / std::max<int64_t>(channels, 1);
  int64_t inputs = getNumElements(input), outputs = getNumElements(output);
  int64_t samples =
      kernel.empty() ? pixels : pixels / std::max<int64_t>(inputs, 1) * outputs;
  int64_t step = std::max<int64_t>(1, (samples + limit - 1) / limit);
  int64_t count = 0, taps = numTaps();
  for (int64_t s = phase % step; s < samples; s += step, ++count)
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t image = kernel.empty() ? 0 : s / outputs;
      int64_t position = kernel.empty() ? 0 : s % outputs, at = tap;
      int64_t source = kernel.empty() ? s : 0, stride = 1;
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
      if (source < 0) {
        to.resize(to.size() + channels, 0);
        continue;
      }
      auto pixel = values.slice((image * inputs + source) * channels, channels);
      to.insert(to.end(), pixel.begin(), pixel.end());
    }
  return count;
}

void InputMoments::add(const Tensor &x, int64_t limit, int64_t phase) {
  size_t before = rows.size();
  int64_t count = geometry.gather(x, limit, phase, rows);
  if (moments.empty()) {
    channels = x.shape().back();
    offsets = geometry.getOffsets(channels);
    int64_t n = geometry.numColumns();
    moments.assign(geometry.numGroups(), Matrix::Zero(n, n));
  }
  pending += count;
  total += count;
  if (!encoding)
    return;
  // The values that the layer computes with: rounded and clipped, with one
  // scale or one for each channel under one zero point.
  SmallVector<float> scales = encoding.getScaleVector();
  scales.resize(channels, scales.front());
  auto grid = Grid<float>::of(encoding.getIntegerFormat());
  float zero = float(encoding.getZeroPointVector().front());
  for (; before < rows.size(); before += channels)
    roundInputs(rows.data() + before, scales.data(), channels, zero, grid);
}

namespace {
/// Rows of the moments of some groups.
struct Tile {
  InputMoments *layer;
  int64_t firstGroup, lastGroup, firstRow, numRows;
};
} // namespace

void InputMoments::multiply(ArrayRef<InputMoments *> layers, bool all) {
  std::vector<Tile> tiles;
  for (InputMoments *layer : layers) {
    if (layer->pending < (all ? 1 : kEnoughRows))
      continue;
    int64_t groups = layer->geometry.numGroups();
    int64_t columns = layer->geometry.numColumns();
    int64_t together = std::max<int64_t>(1, kTileRows / columns);
    for (int64_t g = 0; g < groups; g += together)
      for (int64_t row = 0; row < columns; row += kTileRows)
        tiles.push_back({layer, g, std::min(groups, g + together), row,
                         std::min(kTileRows, columns - row)});
  }
  llvm::parallelFor(0, tiles.size(), [&](size_t i) {
    const Tile &tile = tiles[i];
    InputMoments &layer = *tile.layer;
    int64_t n = layer.geometry.numColumns();
    int64_t perGroup = layer.channels / layer.geometry.numGroups();
    for (int64_t g = tile.firstGroup; g < tile.lastGroup; ++g)
      addOuterProducts(
          {layer.moments[g].data() + tile.firstRow * n, n},
          {layer.rows.data() + g * perGroup,
           layer.channels * layer.geometry.numTaps(), layer.offsets.data()},
          tile.firstRow,
          {tile.numRows, tile.firstRow + tile.numRows, layer.pending});
  });
  for (const Tile &tile : tiles) {
    tile.layer->rows.clear();
    tile.layer->pending = 0;
  }
}

std::vector<Matrix> InputMoments::take() {
  for (Matrix &moment : moments)
    for (int64_t i = 0; i < moment.rows(); ++i)
      for (int64_t j = 0; j <= i; ++j)
        moment(j, i) = moment(i, j) /= double(std::max<int64_t>(total, 1));
  return std::move(moments);
}
