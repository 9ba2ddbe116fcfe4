// RUN: qopt-opt %s --qg-fold-batch-norm --split-input-file | FileCheck %s

// A factor by channel behind stored weights: into their scales, its sign into
// the integers; the offset becomes a bias.
// CHECK-LABEL: func.func @matmul
// CHECK: %[[W:.*]] = qg.constant dense<{{\[\[}}1, -2], [3, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si3, axis = 1, {{.*}}>>
// CHECK: %[[R:.*]] = qg.dequantize %[[W]]
// CHECK: qg.matmul %{{.*}}, %[[R]] bias
// CHECK-NOT: qg.binary
func.func @matmul(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %q = qg.constant dense<[[1, 2], [3, -1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si3, 0.5 : 0>>
  %w = qg.dequantize %q : tensor<2x2x!qg.q<si3, 0.5 : 0>> -> tensor<2x2xf32>
  %y = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %s = qg.constant dense<[2.0, -4.0]> : tensor<2xf32> -> tensor<2xf32>
  %m = qg.binary mul %y, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %t = qg.constant dense<[1.0, 0.5]> : tensor<2xf32> -> tensor<2xf32>
  %z = qg.binary add %m, %t : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}

// -----
// -4 has no negative in three bits: left alone.
// CHECK-LABEL: func.func @least_integer
// CHECK: qg.binary mul
func.func @least_integer(%x: tensor<1x1xf32>) -> tensor<1x2xf32> {
  %q = qg.constant dense<[[-4, 2]]> : tensor<1x2xi8> -> tensor<1x2x!qg.q<si3, 0.5 : 0>>
  %w = qg.dequantize %q : tensor<1x2x!qg.q<si3, 0.5 : 0>> -> tensor<1x2xf32>
  %y = qg.matmul %x, %w : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %s = qg.constant dense<[-2.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  %m = qg.binary mul %y, %s : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %m : tensor<1x2xf32>
}
