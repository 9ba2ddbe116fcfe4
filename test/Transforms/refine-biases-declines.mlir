// RUN: qopt-opt %s --qg-refine-biases=split=true | FileCheck %s

// CHECK-LABEL: func @eight_bits
// CHECK-NOT: qg.binary
// CHECK: qg.matmul %{{.*}} bias
func.func @eight_bits(%x: tensor<1x2x!qg.q<si8, 1.0 : 0>>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[1, -1], [-1, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, 1.0 : 0>>
  %b = qg.constant dense<[0.4, -0.3]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<si8, 1.0 : 0>>, tensor<2x2x!qg.q<si8, 1.0 : 0>>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Whole steps of the sums.
// CHECK-LABEL: func @whole_steps
// CHECK-NOT: qg.binary
// CHECK: qg.matmul %{{.*}} bias
func.func @whole_steps(%x: tensor<1x2x!qg.q<si8, 0.5 : 0>>) -> tensor<1x2xf32> {
  %w = qg.constant dense<[[1, -1], [-1, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si2, 1.0 : 0>>
  %b = qg.constant dense<[1.5, -2.0]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<si8, 0.5 : 0>>, tensor<2x2x!qg.q<si2, 1.0 : 0>>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// A step of the sums is 1/4096 of one of the result.
// CHECK-LABEL: func @fine_enough
// CHECK: qg.constant dense<{{.*}}> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si2, 1.000000e+00 : 0>>
func.func @fine_enough(%x: tensor<1x2x!qg.q<si8, 0.000244140625 : 0>>) -> tensor<1x2x!qg.q<si8, 1.0 : 0>> {
  %w = qg.constant dense<[[1, -1], [-1, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si2, 1.0 : 0>>
  %b = qg.constant dense<[0.41, -0.3]> : tensor<2xf32> -> tensor<2xf32>
  %y = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<si8, 0.000244140625 : 0>>, tensor<2x2x!qg.q<si2, 1.0 : 0>>, tensor<2xf32>) -> tensor<1x2x!qg.q<si8, 1.0 : 0>>
  return %y : tensor<1x2x!qg.q<si8, 1.0 : 0>>
}
