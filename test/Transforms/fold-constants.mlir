// RUN: qopt-opt %s --qg-fold-constants --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qg-fold-constants=max-elements=1 --split-input-file | FileCheck %s --check-prefix=SMALL

// A quantized weight reaches its linear op with its encoding.
// CHECK-LABEL: func @quantized_weight
func.func @quantized_weight() -> tensor<2xf32> {
  // CHECK: %[[Q:.*]] = qg.constant
  // CHECK: qg.dequantize %[[Q]]
  %q = qg.constant dense<[1, -2]> : tensor<2xi8> -> tensor<2x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %q : tensor<2x!qg.q<si8, 0.5 : 0>> -> tensor<2xf32>
  return %w : tensor<2xf32>
}

// -----
// Computed by the same code that runs it.
// CHECK-LABEL: func @chain
// CHECK: %[[C:.*]] = qg.constant dense<{{\[\[}}4.000000e+00, 6.000000e+00]]>
// CHECK-NEXT: return %[[C]]
func.func @chain() -> tensor<1x2xf32> {
  %a = qg.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %b = qg.constant dense<2.0> : tensor<f32> -> tensor<f32>
  %0 = qg.transpose %a perm [1, 0] : tensor<2x1xf32> -> tensor<1x2xf32>
  %1 = qg.binary add %0, %0 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %2 = qg.binary add %1, %b : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  return %2 : tensor<1x2xf32>
}

// -----
// An index out of range is the error of whoever runs the model.
// CHECK-LABEL: func @undefined
// CHECK: qg.gather
func.func @undefined() -> tensor<1xf32> {
  %a = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %i = qg.constant dense<7> : tensor<1xi64> -> tensor<1xi64>
  %0 = qg.gather %a, %i axis 0 : (tensor<2xf32>, tensor<1xi64>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// -----
// A result above the limit is not worth its bytes.
// SMALL-LABEL: func @grows
// SMALL: qg.broadcast
// CHECK-LABEL: func @grows
// CHECK-NOT: qg.broadcast
func.func @grows() -> tensor<4xf32> {
  %a = qg.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  %0 = qg.broadcast %a : tensor<1xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
