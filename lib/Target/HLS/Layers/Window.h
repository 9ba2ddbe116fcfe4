//===- Window.h - Windows in front of other units -------------------------===//
// SPDX-License-Identifier: Apache-2.0
//
// Convolutions and pools read windows of an image; those of one pixel need no
// unit.
//===----------------------------------------------------------------------===//
#ifndef QOPT_LIB_TARGET_HLS_LAYERS_WINDOW_H
#define QOPT_LIB_TARGET_HLS_LAYERS_WINDOW_H

#include "Convert.h"
#include "qopt/Dialect/QG/IR/QG.h"

namespace qopt::hls {

/// Images, windows and pools in two dimensions: `[H, W, C]`.
struct Geometry {
  llvm::SmallVector<int64_t> image, kernel, strides, pads, dilations;

  /// The window is the image.
  bool isWhole() const;
  /// Every position is one pixel, and every pixel is one position.
  bool isPointwise() const;
};

/// Of the window that runs over the first operand.
mlir::FailureOr<Geometry> getGeometry(mlir::Operation *op,
                                      const qg::Window &window);

/// What a unit wants in front of it: see hls.window.
struct WindowRequest {
  const Geometry &geometry;
  int64_t fill;
  bool channelsOuter;
};

/// The pixels of every position, one after the other.
mlir::FailureOr<mlir::Value> makeWindow(mlir::Operation *op, Streams &streams,
                                        mlir::Value stream,
                                        const WindowRequest &request);

} // namespace qopt::hls

#endif // QOPT_LIB_TARGET_HLS_LAYERS_WINDOW_H
