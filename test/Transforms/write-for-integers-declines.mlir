// RUN: qopt-opt %s --qg-write-for-integers | FileCheck %s

// Numbers around, a quotient by a constant, a minimum with one, a mask that is
// computed, an infinity, a volume in groups, a mean with pads.
// CHECK-LABEL: func @kept
// CHECK: qg.pad constant
// CHECK: qg.binary div
// CHECK: qg.binary min
// CHECK-COUNT-2: qg.select
// CHECK: qg.conv {{.*}} groups 2
// CHECK: qg.pool avg
// CHECK-NOT: qg.gather
func.func @kept(%x: tensor<3xf32>, %m: tensor<3xi1>, %v: tensor<1x2x2x2x2xf32>)
    -> (tensor<5xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<1x2x2x2x2xf32>, tensor<1x3x2x2x2xf32>) {
  %c = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %i = qg.constant dense<0xFF800000> : tensor<f32> -> tensor<f32>
  %k = qg.constant dense<[true, false, true]> : tensor<3xi1> -> tensor<3xi1>
  %w = qg.constant dense<1.0> : tensor<2x1x1x1x1xf32> -> tensor<2x1x1x1x1xf32>
  %0 = qg.pad constant %x low [1] high [1] : (tensor<3xf32>) -> tensor<5xf32>
  %1 = qg.binary div %x, %c : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %2 = qg.binary min %x, %c : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %3 = qg.select %m, %x, %c : (tensor<3xi1>, tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %4 = qg.select %k, %x, %i : (tensor<3xi1>, tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %5 = qg.conv %v, %w strides [1, 1, 1] pads [0, 0, 0, 0, 0, 0] dilations [1, 1, 1] groups 2 : (tensor<1x2x2x2x2xf32>, tensor<2x1x1x1x1xf32>) -> tensor<1x2x2x2x2xf32>
  %6 = qg.pool avg %v kernel [2, 1, 1] strides [1, 1, 1] pads [1, 0, 0, 1, 0, 0] dilations [1, 1, 1] : tensor<1x2x2x2x2xf32> -> tensor<1x3x2x2x2xf32>
  return %0, %1, %2, %3, %4, %5, %6 : tensor<5xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<1x2x2x2x2xf32>, tensor<1x3x2x2x2xf32>
}
