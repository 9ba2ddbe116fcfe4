//===- WindowKernel.h - What convolution kernels have in common -----------===//
// SPDX-License-Identifier: Apache-2.0
//
// Geometry, the split into tasks, register tiles along a row, and the epilogue.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_CPU_KERNELS_WINDOWKERNEL_H
#define QOPT_LIB_TARGET_CPU_KERNELS_WINDOWKERNEL_H

#include "WeightCode.h"

#include "mlir/IR/Region.h"

namespace qopt::qcpu {

/// How a volume's rows lie, as attribute `planes` of a window op says; an image
/// is one plane.
struct Planes {
  int64_t kernel = 1;   ///< planes of the kernel
  int64_t dilation = 0; ///< rows of the input between two of them
  int64_t height = 0;   ///< rows of a plane of the result; 0: it has no planes
  int64_t stride = 0;   ///< rows of the input between two of them
};

/// The operands and attributes of a qcpu window op on memrefs.
struct WindowKernel {
  FlatView x, weight, bias, y;
  llvm::SmallVector<FlatView> extras;
  mlir::Block *epilogue;
  llvm::StringRef dot;
  bool isUnsigned;
  int64_t rows, vectors, lanes, pack; ///< the tile
  WeightCode code;                    ///< of `weight`, if it holds integers
  int64_t kernelH, kernelW, strideH, strideW, dilationH, dilationW;
  Planes planes;
  int64_t groups;
  bool ownWeights = false; ///< each row (n, h) of the result has its own
  int64_t reducedChannels; ///< input channels an output depends on
  /// Output extents; a 1x1 window over contiguous pixels is one row.
  int64_t batch, height, width, channels;
  /// `width` pixels are consecutive in memory but may cover several rows.
  bool flattened = false;
  /// Rows outside, channel panels inside: for windows that read only their own
  /// channels, where panels outside would use a part of each cache line.
  bool rowsOutside = false;
};

/// What all kernel ops say alike: dot product, tile, epilogue, and the extents
/// of `kernel.y`, which was read before.
template <typename Op> void readTile(Op op, WindowKernel &kernel) {
  kernel.dot = op.getDot();
  kernel.epilogue = &op.getEpilogue().front();
  llvm::ArrayRef<int64_t> tile = op.getTile();
  kernel.rows = tile[0];
  kernel.vectors = tile[1];
  kernel.lanes = tile[2];
  kernel.pack = tile[3];
  kernel.batch = kernel.y.shape[0];
  kernel.height = kernel.y.shape[1];
  kernel.width = kernel.y.shape[2];
  kernel.channels = kernel.y.shape[3];
}

/// What those over integers add: signs and the code of the weights.
template <typename Op> void readAttributes(Op op, WindowKernel &kernel) {
  readTile(op, kernel);
  kernel.isUnsigned = op.getXUnsigned();
  kernel.code = getWeightCode(op);
}

/// Strides of an extra become 0 where it is repeated in the result.
inline void repeatExtents(FlatView &extra, const FlatView &result) {
  if (extra.shape.size() != 4)
    return;
  if (extra.shape[0] * extra.shape[1] * extra.shape[2] == 1)
    extra.strides[0] = extra.strides[1] = extra.strides[2] = 0;
  if (extra.shape[3] != result.shape[3])
    extra.strides[3] = 0;
}

/// The window of a matrix product; `kernel.x` was read before.
inline void setPointwise(WindowKernel &kernel) {
  kernel.kernelH = kernel.kernelW = 1;
  kernel.strideH = kernel.strideW = 1;
  kernel.dilationH = kernel.dilationW = 1;
  kernel.groups = 1;
  kernel.reducedChannels = kernel.x.shape[3];
}

/// A channel panel of one task.
struct Panel {
  mlir::Value group;   ///< index of the group
  mlir::Value number;  ///< index of the panel within the group
  int64_t vectors;     ///< vectors in use
  int64_t valid;       ///< channels in use
  mlir::Value packed;  ///< first padded channel (bias, rank-1 extras)
  mlir::Value channel; ///< first channel of the result
};

class WindowEmitter {
public:
  /// `tile(panel, xBase, yBases, rows, ox)`: yBases holds the first element of
  /// the tile's first pixel and panel in y and in every full extra.
  struct Tile {
    const Panel &panel;
    mlir::Value x; ///< first input element of the first pixel's window
    llvm::SmallVector<mlir::Value> pixel; ///< in y, then in every extra
    int64_t rows;
    mlir::Value row = {}; ///< (n, h), for weights of its own
  };
  using TileBody = llvm::function_ref<void(const Tile &)>;

  WindowEmitter(Emitter &emit, WindowKernel kernel);

  const WindowKernel &kernel() const { return k; }
  /// Emits the task loops; `body` emits one register tile.
  void emitTasks(TileBody body);
  /// Sums over the rows of the kernel: `body` gets the number of a row, what it
  /// adds to the window's first element, and sums.
  using RowBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value row, mlir::Value offset, mlir::ValueRange sums)>;
  llvm::SmallVector<mlir::Value> reduceRows(mlir::ValueRange inits,
                                            RowBody body);
  /// Applies the epilogue to accumulators [row][vector] and stores.
  void emitEpilogue(const Tile &tile, llvm::ArrayRef<mlir::Value> acc,
                    bool roundToInt);

private:
  void flattenPixels();
  void emitPanels(int64_t first, int64_t count, int64_t vectors, int64_t valid,
                  TileBody body);
  Panel makePanel(mlir::Value group, mlir::Value number, int64_t vectors,
                  int64_t valid);
  void emitRowBlock(mlir::Value block,
                    llvm::function_ref<void(mlir::Value)> body);
  mlir::Value findInputRow(mlir::Value image, mlir::Value row);
  void emitRow(const Panel &panel, mlir::Value row, TileBody body);
  void emitScalarEpilogue(const Tile &tile, llvm::ArrayRef<mlir::Value> acc);
  mlir::Value loadExtra(const Tile &tile, size_t number, int64_t pixel);

  Emitter &emit;
  WindowKernel k;
  int64_t groupChannels, panelWidth, panels, rowBlocks, blockRows;
};

/// Emit the loops of a kernel in front of `op`; an error and failure if the
/// memrefs do not allow it. `roundToInt` as in Emitter::vectorize.
mlir::LogicalResult lowerConvKernel(mlir::Operation *op,
                                    mlir::OpBuilder &builder,
                                    WindowKernel kernel, bool roundToInt);
mlir::LogicalResult lowerDepthwiseKernel(mlir::Operation *op,
                                         mlir::OpBuilder &builder,
                                         WindowKernel kernel, bool roundToInt);
mlir::LogicalResult lowerStage(mlir::Operation *op, mlir::OpBuilder &builder);
mlir::LogicalResult lowerPack(mlir::Operation *op, mlir::OpBuilder &builder);
mlir::LogicalResult lowerLut(mlir::Operation *op, mlir::OpBuilder &builder);

} // namespace qopt::qcpu

#endif // QOPT_LIB_TARGET_CPU_KERNELS_WINDOWKERNEL_H
