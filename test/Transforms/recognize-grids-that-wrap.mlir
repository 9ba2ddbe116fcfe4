// RUN: qopt-opt %s -split-input-file --qg-recognize-grids | FileCheck %s

// Fixed point that wraps around, as HGQ2 leaves it behind tf2onnx: the
// estimator's x - x, and an inverse that is right up to its last bit.
// CHECK-LABEL: func @inverse_to_the_last_bit
func.func @inverse_to_the_last_bit(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %steps = qg.constant dense<16.0> : tensor<1x3xf32> -> tensor<1x3xf32>
  %half = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %inverse = qg.constant dense<0.0624999963> : tensor<1x3xf32> -> tensor<1x3xf32>
  %offset = qg.constant dense<8.0> : tensor<1x3xf32> -> tensor<1x3xf32>
  %modulus = qg.constant dense<16.0> : tensor<1x3xf32> -> tensor<1x3xf32>
  %ones = qg.constant dense<1.0> : tensor<1x3xf32> -> tensor<1x3xf32>
  %zeros = qg.constant dense<0.0> : tensor<1x3xf32> -> tensor<1x3xf32>
  // CHECK: %[[M:.*]] = qg.binary {{ ?}}mul %{{.*}} : (tensor<1x3xf32>, tensor<2x3xf32>)
  // CHECK: %[[V:.*]] = qg.binary {{ ?}}add %[[M]]
  // CHECK: %[[Q:.*]] = qg.quantize %[[V]] {qg.to_last_bit} : tensor<2x3xf32> -> tensor<2x3x!qg.q<si8, 6.250000e-02 : 0>>
  // CHECK: %[[D:.*]] = qg.dequantize %[[Q]]
  // CHECK: qg.matmul %[[D]]
  %0 = qg.binary mul %x, %steps : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %1 = qg.binary sub %0, %0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = qg.binary add %0, %half : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = qg.unary floor %2 : tensor<2x3xf32> -> tensor<2x3xf32>
  %4 = qg.binary add %3, %1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %5 = qg.binary mul %4, %inverse : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %6 = qg.binary add %5, %offset : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %7 = qg.binary div %6, %modulus : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %8 = qg.unary floor %7 : tensor<2x3xf32> -> tensor<2x3xf32>
  %9 = qg.binary mul %8, %modulus : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %10 = qg.binary sub %6, %9 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %11 = qg.binary sub %10, %offset : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %12 = qg.binary mul %ones, %11 : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %13 = qg.binary add %12, %zeros : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %y = qg.matmul %13, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// Bits by feature: the finest step, the widest range. One feature has no bits.
// CHECK-LABEL: func @bits_by_feature
func.func @bits_by_feature(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %steps = qg.constant dense<[16.0, 4.0, 8.0]> : tensor<3xf32> -> tensor<3xf32>
  %offset = qg.constant dense<[0.5, 1.0, 2.0]> : tensor<3xf32> -> tensor<3xf32>
  %modulus = qg.constant dense<[1.0, 2.0, 4.0]> : tensor<3xf32> -> tensor<3xf32>
  %inverse = qg.constant dense<[1.0, 0.5, 0.25]> : tensor<3xf32> -> tensor<3xf32>
  %mask = qg.constant dense<[1.0, 1.0, 0.0]> : tensor<3xf32> -> tensor<3xf32>
  // CHECK: qg.quantize %{{.*}} : tensor<2x3xf32> -> tensor<2x3x!qg.q<si5, 6.250000e-02 : 0>>
  %0 = qg.binary mul %x, %steps : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %1 = qg.unary round_even %0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = qg.binary div %1, %steps : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %3 = qg.binary add %2, %offset : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %4 = qg.binary mul %inverse, %3 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %5 = qg.unary floor %4 : tensor<2x3xf32> -> tensor<2x3xf32>
  %6 = qg.binary mul %modulus, %5 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %7 = qg.binary sub %3, %6 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %8 = qg.binary sub %7, %offset : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %9 = qg.binary mul %8, %mask : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %y = qg.matmul %9, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// Without a sign: nothing is added in front of the remainder.
// CHECK-LABEL: func @unsigned
func.func @unsigned(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %steps = qg.constant dense<32.0> : tensor<f32> -> tensor<f32>
  %modulus = qg.constant dense<8.0> : tensor<f32> -> tensor<f32>
  // CHECK: %[[V:.*]] = qg.binary {{.*}}mod
  // CHECK: qg.quantize %[[V]] : tensor<2x3xf32> -> tensor<2x3x!qg.q<ui8, 3.125000e-02 : 0>>
  %0 = qg.binary mul %x, %steps : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = qg.unary floor %0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = qg.binary div %1, %steps : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = qg.binary mod %2, %modulus : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %3, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// No steps divide a modulus of 3, nor an offset of a third of a step.
// CHECK-LABEL: func @off_the_grid
// CHECK-NOT: qg.quantize
func.func @off_the_grid(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %quarter = qg.constant dense<0.25> : tensor<f32> -> tensor<f32>
  %three = qg.constant dense<3.1> : tensor<f32> -> tensor<f32>
  %four = qg.constant dense<4.0> : tensor<f32> -> tensor<f32>
  %third = qg.constant dense<0.083> : tensor<f32> -> tensor<f32>
  %0 = qg.unary floor %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = qg.binary mul %0, %quarter : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %2 = qg.binary mod %1, %three : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %2, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %3 = qg.binary add %1, %third : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %4 = qg.binary mod %3, %four : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %z = qg.matmul %4, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y, %z : tensor<2x4xf32>, tensor<2x4xf32>
}
