// RUN: qopt-opt %s --qg-apply-formats | FileCheck %s

// The decision becomes a pair of ops for the integer reader; the output reads
// the unrounded value; an operand moved on the way is looked through.
// CHECK-LABEL: func @main
func.func @main(%x: tensor<2x1xf32>) -> (tensor<1x2xf32>, tensor<2x1xf32>) {
  // CHECK: %[[Q:.*]] = qg.quantize %arg0 : tensor<2x1xf32> -> tensor<2x1x!qg.q<ui8, 5.000000e-01 : 3>>
  // CHECK: %[[D:.*]] = qg.dequantize %[[Q]]
  // CHECK: %[[R:.*]] = qg.reshape %[[D]]
  // CHECK: qg.matmul %[[R]]
  // CHECK: return %{{.*}}, %arg0
  %0 = qg.observe "x" %x {qg.format = #qg.format<!qg.q<ui8, 0.5 : 3>>} : tensor<2x1xf32> -> tensor<2x1xf32>
  %1 = qg.reshape %0 : tensor<2x1xf32> -> tensor<1x2xf32>
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = qg.matmul %1, %w {qg.weight_format = #qg.format<!qg.q<si8, 0.25 : 0>>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %2, %0 : tensor<1x2xf32>, tensor<2x1xf32>
}
