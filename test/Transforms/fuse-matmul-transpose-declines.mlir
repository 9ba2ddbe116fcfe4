// RUN: qopt-opt %s --qg-fuse-matmul-transpose --split-input-file | FileCheck %s

// Twice transposed is not transposed.
// CHECK-LABEL: func @toggles_back
// CHECK: qg.matmul %arg0, %arg1 : (tensor<5x4xf32>, tensor<4x7xf32>)
func.func @toggles_back(%a: tensor<5x4xf32>, %b: tensor<4x7xf32>) -> tensor<5x7xf32> {
  %0 = qg.transpose %b perm [1, 0] : tensor<4x7xf32> -> tensor<7x4xf32>
  %1 = qg.matmul %a, %0 transpose_rhs : (tensor<5x4xf32>, tensor<7x4xf32>) -> tensor<5x7xf32>
  return %1 : tensor<5x7xf32>
}

// -----
// There is no form for a transposed left operand.
// CHECK-LABEL: func @left
// CHECK: %[[T:.*]] = qg.transpose
// CHECK: qg.matmul %[[T]], %arg1 :
func.func @left(%a: tensor<4x5xf32>, %b: tensor<4x7xf32>) -> tensor<5x7xf32> {
  %0 = qg.transpose %a perm [1, 0] : tensor<4x5xf32> -> tensor<5x4xf32>
  %1 = qg.matmul %0, %b : (tensor<5x4xf32>, tensor<4x7xf32>) -> tensor<5x7xf32>
  return %1 : tensor<5x7xf32>
}

// -----
// Somebody else reads the transpose: it stays, the matmul needs it no more.
// CHECK-LABEL: func @read_elsewhere
// CHECK: %[[T:.*]] = qg.transpose
// CHECK: qg.matmul %arg0, %arg1 transpose_rhs
// CHECK: return %{{.*}}, %[[T]]
func.func @read_elsewhere(%a: tensor<5x4xf32>, %b: tensor<7x4xf32>) -> (tensor<5x7xf32>, tensor<4x7xf32>) {
  %0 = qg.transpose %b perm [1, 0] : tensor<7x4xf32> -> tensor<4x7xf32>
  %1 = qg.matmul %a, %0 : (tensor<5x4xf32>, tensor<4x7xf32>) -> tensor<5x7xf32>
  return %1, %0 : tensor<5x7xf32>, tensor<4x7xf32>
}

// -----
// The batches change places as well.
// CHECK-LABEL: func @batches_move
// CHECK: qg.transpose
// CHECK: qg.matmul %{{.*}}, %{{.*}} :
func.func @batches_move(%a: tensor<2x3x5x4xf32>, %b: tensor<3x2x7x4xf32>) -> tensor<2x3x5x7xf32> {
  %0 = qg.transpose %b perm [1, 0, 3, 2] : tensor<3x2x7x4xf32> -> tensor<2x3x4x7xf32>
  %1 = qg.matmul %a, %0 : (tensor<2x3x5x4xf32>, tensor<2x3x4x7xf32>) -> tensor<2x3x5x7xf32>
  return %1 : tensor<2x3x5x7xf32>
}
