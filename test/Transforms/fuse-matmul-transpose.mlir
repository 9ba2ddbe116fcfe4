// RUN: qopt-opt %s --qg-fuse-matmul-transpose --split-input-file | FileCheck %s

// CHECK-LABEL: func @attention_scores
// CHECK-SAME: (%[[Q:.*]]: tensor<2x5x4xf32>, %[[K:.*]]: tensor<2x7x4xf32>)
// CHECK: qg.matmul %[[Q]], %[[K]] transpose_rhs :
func.func @attention_scores(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>) -> tensor<2x5x7xf32> {
  %0 = qg.transpose %k perm [0, 2, 1] : tensor<2x7x4xf32> -> tensor<2x4x7xf32>
  %1 = qg.matmul %q, %0 : (tensor<2x5x4xf32>, tensor<2x4x7xf32>) -> tensor<2x5x7xf32>
  return %1 : tensor<2x5x7xf32>
}

// -----
// Heads move too: the matmul can not do that.
// CHECK-LABEL: func @heads_move
// CHECK: %[[T:.*]] = qg.transpose
// CHECK: qg.matmul %{{.*}}, %[[T]] :
func.func @heads_move(%q: tensor<2x5x4xf32>, %k: tensor<7x2x4xf32>) -> tensor<2x5x7xf32> {
  %0 = qg.transpose %k perm [1, 2, 0] : tensor<7x2x4xf32> -> tensor<2x4x7xf32>
  %1 = qg.matmul %q, %0 : (tensor<2x5x4xf32>, tensor<2x4x7xf32>) -> tensor<2x5x7xf32>
  return %1 : tensor<2x5x7xf32>
}
