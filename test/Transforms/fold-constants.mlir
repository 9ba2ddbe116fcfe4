// RUN: qopt-opt %s --qg-fold-constants --split-input-file | FileCheck %s

// A quantized weight reaches its linear op with its encoding.
// CHECK-LABEL: func @quantized_weight
func.func @quantized_weight() -> tensor<2xf32> {
  // CHECK: %[[Q:.*]] = qg.constant
  // CHECK: qg.dequantize %[[Q]]
  %q = qg.constant dense<[1, -2]> : tensor<2xi8> -> tensor<2x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %q : tensor<2x!qg.q<si8, 0.5 : 0>> -> tensor<2xf32>
  return %w : tensor<2xf32>
}
