// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qg-assign-formats{pre-activation=int8},qg-apply-formats))' | FileCheck %s --check-prefix=INT8
// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qg-assign-formats,qg-apply-formats))' | FileCheck %s --check-prefix=F32

// Targets without floats get bytes as results and before the softmax of a
// result; others get what the products sum up to.
// INT8: %[[M:.*]] = qg.matmul
// INT8: %[[Q:.*]] = qg.quantize %[[M]] : tensor<1x2xf32> -> tensor<1x2x!qg.q<ui8, 0.00784313772 : 127>>
// INT8: %[[D:.*]] = qg.dequantize %[[Q]]
// INT8: %[[S:.*]] = qg.softmax %[[D]]
// INT8: return %[[S]], %[[D]]
// F32: %[[M:.*]] = qg.matmul
// F32-NOT: qg.quantize
// F32: %[[S:.*]] = qg.softmax %[[M]]
// F32: return %[[S]], %[[M]]
func.func @main(%x: tensor<1x4xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<0.5> : tensor<4x2xf32> -> tensor<4x2xf32>
  %o = qg.observe "x" %x {qg.range = array<f64: -1.0, 1.0>} : tensor<1x4xf32> -> tensor<1x4xf32>
  %m = qg.matmul %o, %w : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  %p = qg.observe "m" %m {qg.range = array<f64: -1.0, 1.0>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %s = qg.softmax %p : tensor<1x2xf32> -> tensor<1x2xf32>
  %t = qg.observe "s" %s {qg.range = array<f64: 0.0, 1.0>} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %t, %p : tensor<1x2xf32>, tensor<1x2xf32>
}
