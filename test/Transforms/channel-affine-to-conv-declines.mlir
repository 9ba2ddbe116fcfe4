// RUN: qopt-opt %s --qg-channel-affine-to-conv | FileCheck %s

// Equal numbers are a function of one value.
// CHECK-LABEL: func @kept
// CHECK-NOT: qg.conv
func.func @kept(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %s = qg.constant dense<[2.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.unary tanh %x : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %1 = qg.binary mul %0, %s : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  return %1 : tensor<1x3x2xf32>
}
