// RUN: qopt-opt %s --qg-encode-constants | FileCheck %s

// One number, infinities, integers, a maximum.
// CHECK-LABEL: func @kept
// CHECK-NOT: qg.dequantize
func.func @kept(%x: tensor<2xf32>, %i: tensor<2xi64>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xf32>) {
  %one = qg.constant dense<2.0> : tensor<2xf32> -> tensor<2xf32>
  %inf = qg.constant dense<[0.0, 0xFF800000]> : tensor<2xf32> -> tensor<2xf32>
  %int = qg.constant dense<[1, 2]> : tensor<2xi64> -> tensor<2xi64>
  %num = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = qg.binary mul %x, %one : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = qg.binary add %x, %inf : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = qg.binary add %i, %int : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %3 = qg.binary max %x, %num : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0, %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xf32>
}
