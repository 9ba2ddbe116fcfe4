// RUN: qopt-translate --fxp-to-c %s | FileCheck %s
// RUN: qopt-translate --fxp-to-c %s --file model_weights.h | FileCheck %s --check-prefix=WEIGHTS

// Dimensions in memory order, whatever the order of the axes; what lies in
// front is a loop of calls, what lies behind a run. 128 off the zero point: x
// is held signed.
// CHECK: /* by_two: resize 2x2x3x5 -> 2x4x2x5, 320 products, one of 2 images a call */
// CHECK-NEXT: QOPT_STEP void model_1_resize(
// CHECK: const qopt_grid_axis axes[] = {
// CHECK-NEXT: {.extent = 4, .taps = 2, .offsets = weights->offsets1,
// CHECK-NEXT: .coefficients = weights->coefficients1},
// CHECK-NEXT: {.extent = 2, .taps = 2, .offsets = weights->offsets1 + 8,
// CHECK-NEXT: .coefficients = weights->coefficients1 + 8}};
// CHECK-NEXT: const qopt_grid grid = {.axes = axes, .rank = 2, .run = 5,
// CHECK-NEXT: .zero_point = -125};
// CHECK-NEXT: qopt_resize(x, y, &grid, &scales);
// WEIGHTS: /* offsets1 */ {
// WEIGHTS-NEXT: 0, 15, 0, 15, 0, 15, 0, 15, 0, 5, 5, 10,
// WEIGHTS: /* coefficients1 */ {
// WEIGHTS-NEXT: 8, 0, 3, 1, 1, 3, 0, 8, 5, 3, 4, 4,

// A dimension between two resized ones is read as it is.
// CHECK: resize 2x4x2x5 -> 1x4x3x5
// CHECK: {.extent = 4, .taps = 1, .offsets = weights->offsets2 + 2,
// WEIGHTS: /* offsets2 */ {
// WEIGHTS-NEXT: 0, 40, 0, 10, 20, 30, 0, 0, 5,
// WEIGHTS: /* coefficients2 */ {
// WEIGHTS-NEXT: 2, -1, 1, 1, 1, 1, 7, 6, 5,
func.func @main(%x: tensor<2x2x3x5xi8> {qg.encoding = !qg.q<ui8, 0.5 : 3>})
    -> (tensor<1x4x3x5xi8>) {
  %0 = fxp.resize %x axes [2, 1] taps [2, 2] positions [0, 1, 1, 2, 0, 1, 0, 1, 0, 1, 0, 1] coefficients [5, 3, 4, 4, 8, 0, 3, 1, 1, 3, 0, 8] x_zp 3 x_unsigned : tensor<2x2x3x5xi8> -> tensor<2x4x2x5xi32> loc("by_two")
  %1 = fxp.requantize %0 scales dense<0.03125> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<2x4x2x5xi32> -> tensor<2x4x2x5xi8>
  %2 = fxp.resize %1 axes [0, 2] taps [2, 1] positions [0, 1, 0, 0, 1] coefficients [2, -1, 7, 6, 5] x_zp 0 : tensor<2x4x2x5xi8> -> tensor<1x4x3x5xi32>
  %3 = fxp.requantize %2 scales dense<0.03125> : tensor<1xf32> x_zp 0 zp 0 clamp [-128, 127] mode <"fixed", 31> : tensor<1x4x3x5xi32> -> tensor<1x4x3x5xi8>
  return %3 : tensor<1x4x3x5xi8>
}
