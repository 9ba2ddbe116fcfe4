// RUN: qopt check %s | FileCheck %s

// The products of a body are counted in each of its steps: 5 x 3 x 16.
// CHECK: MACs 240;
func.func @main(%x: tensor<5x3x1x4xf32> {qg.name = "x"},
                %h: tensor<1x4xf32> {qg.name = "h"})
    -> (tensor<1x4xf32> {qg.name = "y"}) {
  %w = qg.constant dense<0.5> : tensor<4x4xf32> -> tensor<4x4xf32>
  %y = qg.loop 5 states(%h) slices(%x) captures(%w) reversed [false] {
  ^bb0(%i: tensor<i64>, %s: tensor<1x4xf32>, %rows: tensor<3x1x4xf32>, %v: tensor<4x4xf32>):
    %inner = qg.loop 3 states(%s) slices(%rows) captures(%v) reversed [false] {
    ^bb0(%j: tensor<i64>, %t: tensor<1x4xf32>, %row: tensor<1x4xf32>, %u: tensor<4x4xf32>):
      %p = qg.matmul %t, %u : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
      %next = qg.binary add %p, %row : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
      qg.yield %next : tensor<1x4xf32>
    } : (tensor<1x4xf32>, tensor<3x1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
    qg.yield %inner : tensor<1x4xf32>
  } : (tensor<1x4xf32>, tensor<5x3x1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
