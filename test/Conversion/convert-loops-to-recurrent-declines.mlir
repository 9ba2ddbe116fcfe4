// RUN: qopt-opt %s --convert-loops-to-recurrent | FileCheck %s

// The state is read in float: nothing says how to round it.
// CHECK-LABEL: func @float_state
// CHECK: qg.loop
// CHECK: qg.no_cell = "its product of the state is not rounded to bytes"
func.func @float_state(%x: tensor<3x2x!qg.q<si8, 0.5 : 0>>) -> tensor<3x1x1xf32> {
  %w = qg.constant dense<[[1], [2]]> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.25 : 0>>
  %h = qg.constant dense<0.0> : tensor<1x1xf32> -> tensor<1x1xf32>
  %p = qg.matmul %x, %w : (tensor<3x2x!qg.q<si8, 0.5 : 0>>, tensor<2x1x!qg.q<si8, 0.25 : 0>>) -> tensor<3x1xf32>
  %s = qg.reshape %p : tensor<3x1xf32> -> tensor<3x1x1xf32>
  %last, %all = qg.loop 3 states(%h) slices(%s) captures() reversed [false, false] {
  ^bb0(%step: tensor<i64>, %state: tensor<1x1xf32>, %xt: tensor<1x1xf32>):
    %r = qg.constant dense<3.0> : tensor<1x1xf32> -> tensor<1x1xf32>
    %m = qg.matmul %state, %r : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    %z = qg.binary add %m, %xt : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
    %n = qg.unary tanh %z : tensor<1x1xf32> -> tensor<1x1xf32>
    qg.yield %n, %n : tensor<1x1xf32>, tensor<1x1xf32>
  } : (tensor<1x1xf32>, tensor<3x1x1xf32>) -> (tensor<1x1xf32>, tensor<3x1x1xf32>)
  return %all : tensor<3x1x1xf32>
}
