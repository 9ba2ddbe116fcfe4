// qg.resize to integers and to loops, and qg.scatter to loops.
// RUN: qopt-opt %s --convert-qg-to-fxp --split-input-file | FileCheck %s
// RUN: qopt-opt %s --convert-qg-to-fxp --convert-to-linalg --split-input-file | FileCheck %s --check-prefix=LOOPS

// Quarters, halves at the edges; 0.5 / (1.0 * 4 * 4) is the scale.
!x = !qg.q<ui8, 0.5 : 3>
!y = !qg.q<ui8, 1.0 : 10>
// CHECK-LABEL: func @by_two
// CHECK: %[[A:.*]] = fxp.resize %{{.*}} axes [1, 0] taps [2, 2]
// CHECK-SAME: positions [0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1]
// CHECK-SAME: coefficients [2, 2, 3, 1, 1, 3, 2, 2, 2, 2, 3, 1, 1, 3, 2, 2] x_zp 3 x_unsigned : tensor<2x2xi8> -> tensor<4x4xi32>
// CHECK: fxp.requantize %[[A]] scales dense<3.125000e-02> : tensor<1xf32> x_zp 0 zp 10 clamp [0, 255] unsigned mode <f32>
// Sums fit 16 bits between the dimensions, and are rounded in the last loop.
// LOOPS-LABEL: func.func @by_two
// LOOPS: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4xi16>)
// LOOPS: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x4xi32>)
// LOOPS: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x4xi8>)
func.func @by_two(%x: tensor<2x2x!x>) -> tensor<4x4x!y> {
  %y = qg.resize linear half_pixel %x axes [1, 0] scales [2.0, 2.0] : tensor<2x2x!x> -> tensor<4x4x!y>
  return %y : tensor<4x4x!y>
}

// -----
// Thirds: one position for all outputs that lie on one, halved.
!x = !qg.q<si8, 0.5 : 0>
// CHECK-LABEL: func @by_three
// CHECK: coefficients [3, 3, 3, 3, 4, 2, 2, 4, 3, 3, 3, 3] x_zp 0 : tensor<2xi8> -> tensor<6xi32>
// CHECK: fxp.requantize %{{.*}} scales dense<0.166666672> : tensor<1xf32>
func.func @by_three(%x: tensor<2x!x>) -> tensor<6x!x> {
  %y = qg.resize linear half_pixel %x axes [0] scales [3.0] : tensor<2x!x> -> tensor<6x!x>
  return %y : tensor<6x!x>
}

// -----
// Sixteen bits are interpolated in floats.
!w = !qg.q<ui16, 0.5 : 3>
// CHECK-LABEL: func @sixteen_bits
// CHECK-NOT: fxp.resize
// CHECK: fxp.dequantize
// CHECK: qg.resize linear half_pixel %{{.*}} : tensor<2xf32> -> tensor<4xf32>
// CHECK: fxp.quantize
func.func @sixteen_bits(%x: tensor<2x!w>) -> tensor<4x!w> {
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0] : tensor<2x!w> -> tensor<4x!w>
  return %y : tensor<4x!w>
}

// -----
// Taps of floats are fused multiply-adds; more than sixteen add up in memory.
// LOOPS-LABEL: func.func @floats
// LOOPS: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x3xf32>)
// LOOPS: arith.mulf
// LOOPS: math.fma
func.func @floats(%x: tensor<2x3xf32>) -> tensor<4x3xf32> {
  %y = qg.resize linear half_pixel %x axes [0] scales [2.0] : tensor<2x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----
// LOOPS-LABEL: func.func @many_taps
// LOOPS: linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<2x3xf32>)
// LOOPS: iterator_types = ["parallel", "reduction", "parallel"]
func.func @many_taps(%x: tensor<64x3xf32>) -> tensor<2x3xf32> {
  %y = qg.resize linear half_pixel %x axes [0] scales [0.03125] antialias : tensor<64x3xf32> -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----
// The last dimension: outputs that read alike, a whole factor apart, are one
// loop with contiguous reads; the first and the last are written out.
// LOOPS-LABEL: func.func @periods
// LOOPS: scf.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step
// LOOPS: scf.for %[[Q:.*]] = %{{.*}} to %{{.*}} step
// LOOPS: tensor.extract %arg0[%[[ROW]], %{{.*}}]
// LOOPS: math.fma
// LOOPS: tensor.insert
// LOOPS: math.fma
// LOOPS: tensor.insert
// LOOPS: scf.yield
func.func @periods(%x: tensor<3x8xf32>) -> tensor<3x16xf32> {
  %y = qg.resize linear half_pixel %x axes [1] scales [2.0] : tensor<3x8xf32> -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}

// -----
// An update out of range writes what is there.
// LOOPS-LABEL: func.func @scatter
// LOOPS: scf.for
// LOOPS: %[[IN:.*]] = arith.cmpi ult
// LOOPS: %[[ROW:.*]] = arith.select %[[IN]]
// LOOPS: scf.for
// LOOPS: %[[OLD:.*]] = tensor.extract %{{.*}}[%[[ROW]],
// LOOPS: %[[SUM:.*]] = arith.addf %[[OLD]]
// LOOPS: %[[NEW:.*]] = arith.select %[[IN]], %[[SUM]], %[[OLD]]
// LOOPS: tensor.insert %[[NEW]] into %{{.*}}[%[[ROW]],
func.func @scatter(%x: tensor<6x4xf32>, %i: tensor<2xi64>, %u: tensor<2x4xf32>) -> tensor<6x4xf32> {
  %y = qg.scatter add %x, %i, %u : (tensor<6x4xf32>, tensor<2xi64>, tensor<2x4xf32>) -> tensor<6x4xf32>
  return %y : tensor<6x4xf32>
}
