// RUN: qopt-opt %s --qg-fold-constants=decode --split-input-file | FileCheck %s

// A number that arithmetic reads is decoded; what a product reads, moved or not,
// keeps its encoding.
// CHECK-LABEL: func @constants
// CHECK-DAG: %[[C:.*]] = qg.constant dense<[5.000000e-01, -1.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[W:.*]] = qg.dequantize
// CHECK-DAG: %[[T:.*]] = qg.transpose %[[W]]
// CHECK: %[[S:.*]] = qg.binary add %arg0, %[[C]]
// CHECK: qg.matmul %[[S]], %[[T]]
func.func @constants(%x: tensor<1x2xf32>) -> tensor<1x3xf32> {
  %c = qg.constant dense<[1, -2]> : tensor<2xi8> -> tensor<2x!qg.q<si8, 0.5 : 0>>
  %d = qg.dequantize %c : tensor<2x!qg.q<si8, 0.5 : 0>> -> tensor<2xf32>
  %w = qg.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8> -> tensor<3x2x!qg.q<si8, 0.5 : 0>>
  %v = qg.dequantize %w : tensor<3x2x!qg.q<si8, 0.5 : 0>> -> tensor<3x2xf32>
  %t = qg.transpose %v perm [1, 0] : tensor<3x2xf32> -> tensor<2x3xf32>
  %s = qg.binary add %x, %d : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qg.matmul %s, %t : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
