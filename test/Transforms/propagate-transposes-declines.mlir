// RUN: qopt-opt %s --qg-propagate-transposes --canonicalize --split-input-file | FileCheck %s

// The dimension of a softmax must be last.
// CHECK-LABEL: func @softmax
// CHECK: %[[T:.*]] = qg.transpose %arg0 perm [0, 2, 1]
// CHECK: %[[S:.*]] = qg.softmax %[[T]]
// CHECK: qg.transpose %[[S]] perm [0, 2, 1]
func.func @softmax(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  %1 = qg.softmax %0 : tensor<2x4x3xf32> -> tensor<2x4x3xf32>
  %2 = qg.transpose %1 perm [0, 2, 1] : tensor<2x4x3xf32> -> tensor<2x3x4xf32>
  return %2 : tensor<2x3x4xf32>
}

// -----
// The last dimension stays last: there the softmax follows.
// CHECK-LABEL: func @softmax_follows
// CHECK-NOT: qg.transpose
// CHECK: qg.softmax %arg0 : tensor<2x3x4xf32>
func.func @softmax_follows(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = qg.transpose %x perm [1, 0, 2] : tensor<2x3x4xf32> -> tensor<3x2x4xf32>
  %1 = qg.softmax %0 : tensor<3x2x4xf32> -> tensor<3x2x4xf32>
  %2 = qg.transpose %1 perm [1, 0, 2] : tensor<3x2x4xf32> -> tensor<2x3x4xf32>
  return %2 : tensor<2x3x4xf32>
}

// -----
// A reshape that joins dimensions which the other order tears apart.
// CHECK-LABEL: func @joining_reshape
// CHECK: qg.transpose
// CHECK: qg.reshape %{{.*}} : tensor<2x4x3xf32> -> tensor<2x12xf32>
func.func @joining_reshape(%x: tensor<2x3x4xf32>) -> tensor<2x12xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  %1 = qg.reshape %0 : tensor<2x4x3xf32> -> tensor<2x12xf32>
  return %1 : tensor<2x12xf32>
}

// -----
// The transpose cannot vanish, but behind the slice it moves fewer bytes.
// CHECK-LABEL: func @moves_the_smaller
// CHECK: %[[S:.*]] = qg.slice %arg0
// CHECK: qg.transpose %[[S]] perm [0, 2, 1] : tensor<2x3x2xf32>
// CHECK-NOT: qg.transpose
func.func @moves_the_smaller(%x: tensor<2x3x64xf32>) -> tensor<2x2x3xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<2x3x64xf32> -> tensor<2x64x3xf32>
  %1 = qg.slice %0 offsets [0, 5, 0] strides [1, 7, 1] : tensor<2x64x3xf32> -> tensor<2x2x3xf32>
  return %1 : tensor<2x2x3xf32>
}

// -----
// A sum over dimensions that stay in order follows.
// CHECK-LABEL: func @reduction_follows
// CHECK-NOT: qg.transpose
// CHECK: qg.reduce sum %arg0 axes [2] : tensor<2x3x4xf32> -> tensor<2x3xf32>
func.func @reduction_follows(%x: tensor<2x3x4xf32>) -> tensor<2x3xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  %1 = qg.reduce sum %0 axes [1] : tensor<2x4x3xf32> -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}
