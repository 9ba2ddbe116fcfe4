// RUN: qopt-opt %s --qg-assign-formats=keep-float=last --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qg-assign-formats --qg-apply-formats --split-input-file | FileCheck %s --check-prefix=APPLIED

// [0, 2.55] is 256 steps of 0.01; the weight's scales are 127 / 127 and
// 254 / 127 per output channel; relu is a part of the convolution, and the sum
// is integer because a convolution is all that reads it.
// CHECK-LABEL: func @residual
// APPLIED-LABEL: func @residual
func.func @residual(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = qg.constant dense<[[[[127.0, -1.0]]], [[[2.0, -254.0]]]]> : tensor<2x1x1x2xf32> -> tensor<2x1x1x2xf32>
  // CHECK: %[[X:.*]] = qg.observe "x" %arg0 {qg.format = #qg.format<!qg.q<ui8, 0.00999999977 : 0>>
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // CHECK: %[[C:.*]] = qg.conv %[[X]], {{.*}} {qg.weight_format = #qg.format<!qg.q<si8, axis = 0, {{.*}}>>}
  // CHECK: qg.unary relu %[[C]] : tensor
  // APPLIED: %[[XQ:.*]] = qg.quantize %arg0
  // APPLIED: %[[XD:.*]] = qg.dequantize %[[XQ]]
  // APPLIED: %[[W:.*]] = qg.constant dense<{{.*}}127, -1{{.*}}1, -127{{.*}}> : tensor<2x1x1x2xi8>
  // APPLIED: %[[WD:.*]] = qg.dequantize %[[W]]
  // APPLIED: qg.conv %[[XD]], %[[WD]]
  %1 = qg.conv %0, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32>
  %2 = qg.unary relu %1 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // CHECK: qg.observe "relu" {{.*}} {qg.format = #qg.format<!qg.q<ui8, 1.000000e+00 : 127>>
  %3 = qg.observe "relu" %2 {qg.range = array<f64: -127.0, 128.0>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // CHECK: qg.binary add %{{.*}}, %{{.*}} : (
  %4 = qg.binary add %3, %0 : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  // CHECK: qg.observe "sum" {{.*}} {qg.format = #qg.format<!qg.q<ui8,
  %5 = qg.observe "sum" %4 {qg.range = array<f64: -127.0, 128.0>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  // CHECK: qg.conv {{.*}} {qg.weight_format
  // APPLIED: qg.conv
  // APPLIED-NEXT: return
  %6 = qg.conv %5, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32>
  // CHECK: qg.observe "y" {{.*}} {qg.format = #qg.format<f32, "only float ops read it">
  %7 = qg.observe "y" %6 {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  return %7 : tensor<1x2x2x2xf32>
}

// -----

// A float op reads the sum as well: it stays float, and reads its operands
// unrounded; only the matmul reads the rounded sum.
// CHECK-LABEL: func @residual_stream
// APPLIED-LABEL: func @residual_stream
func.func @residual_stream(%x: tensor<1x2xf32>, %y: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  // CHECK: qg.observe "x" {{.*}}"only float ops read it"
  // APPLIED: %[[A:.*]] = qg.binary add %arg0, %arg1 {qg.float_reason = "a float op reads its result, or it has no integer form"}
  // APPLIED: %[[Q:.*]] = qg.quantize %[[A]]
  // APPLIED: %[[D:.*]] = qg.dequantize %[[Q]]
  // APPLIED: qg.matmul %[[D]]
  // APPLIED: qg.softmax %[[A]] {qg.float_reason = "needs the range of float"}
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %1 = qg.observe "y" %y {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %2 = qg.binary add %0, %1 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %3 = qg.observe "sum" %2 {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %4 = qg.matmul %3, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %5 = qg.softmax %3 : tensor<1x2xf32> -> tensor<1x2xf32>
  return %4, %5 : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// Refused: by name, and by a predicted ratio below the limit.
// CHECK-LABEL: func @kept_float
func.func @kept_float(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>, qg.sqnr = 40.0 : f64} : tensor<1x2xf32> -> tensor<1x2xf32>
  // CHECK: qg.matmul {{.*}} {qg.format = #qg.format<f32, "kept float by option">}
  %1 = qg.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32> loc("last")
  // CHECK: qg.observe "y" {{.*}}#qg.format<f32, "8 bits give 3 dB, less than min-sqnr; other samples or another --method may give it a better range">
  %2 = qg.observe "y" %1 {qg.range = array<f64: 0.0, 2.55>, qg.sqnr = 3.5 : f64} : tensor<1x2xf32> -> tensor<1x2xf32>
  // CHECK: qg.matmul {{.*}} {qg.format = #qg.format<f32, "8 bits give 3 dB, less than min-sqnr; other samples or another --method may give it a better range">}
  %3 = qg.matmul %2, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %2, %3 : tensor<1x2xf32>, tensor<1x2xf32>
}
