// RUN: qopt-opt %s --split-input-file --qg-insert-observers | FileCheck %s

// Behind the input, behind the relu that folds into the convolution, behind
// the sum; not behind the reshape, which keeps the encoding.
// CHECK-LABEL: func @main
func.func @main(%x: tensor<1x4x4x1xf32> {qg.name = "image"}) -> tensor<1x16xf32> {
  // CHECK: %[[X:.*]] = qg.observe "image" %arg0
  %w = qg.constant dense<1.0> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  // CHECK: %[[C:.*]] = qg.conv %[[X]]
  // CHECK-NEXT: %[[R:.*]] = qg.unary relu %[[C]]
  // CHECK-NEXT: %[[O:.*]] = qg.observe "relu" %[[R]]
  %c = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x4x4x1xf32> loc("conv")
  %r = qg.unary relu %c : tensor<1x4x4x1xf32> -> tensor<1x4x4x1xf32> loc("relu")
  // CHECK-NEXT: %[[A:.*]] = qg.binary add %[[O]], %[[X]]
  // CHECK-NEXT: %[[S:.*]] = qg.observe "sum" %[[A]]
  %a = qg.binary add %r, %x : (tensor<1x4x4x1xf32>, tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32> loc("sum")
  // CHECK-NEXT: %[[F:.*]] = qg.reshape %[[S]]
  %f = qg.reshape %a : tensor<1x4x4x1xf32> -> tensor<1x16xf32>
  // A region of several ops is observed at its end, under a name of its own.
  // CHECK-NEXT: %[[G:.*]] = qg.unary sigmoid %[[F]]
  // CHECK-NEXT: %[[M:.*]] = qg.binary mul %[[F]], %[[G]]
  // CHECK-NEXT: qg.observe "sum#2" %[[M]]
  // CHECK-NEXT: return
  %g = qg.unary sigmoid %f : tensor<1x16xf32> -> tensor<1x16xf32> loc("gate")
  %m = qg.binary mul %f, %g : (tensor<1x16xf32>, tensor<1x16xf32>) -> tensor<1x16xf32> loc("sum")
  return %m : tensor<1x16xf32>
}

// Another function is none of its business.
// CHECK-LABEL: func @other
// CHECK-NOT: qg.observe
func.func @other(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  return %x : tensor<1x4xf32>
}

// -----

// The quotient of a normalization, which a product reads.
// CHECK-LABEL: func @main
func.func @main(%x: tensor<2x4xf32> {qg.name = "x"}, %y: tensor<2x1xf32> {qg.name = "y"}) -> tensor<2x3xf32> {
  // CHECK: %[[D:.*]] = qg.binary div
  // CHECK-NEXT: %[[O:.*]] = qg.observe "normalized" %[[D]]
  // CHECK-NEXT: qg.matmul %[[O]]
  %w = qg.constant dense<1.0> : tensor<4x3xf32> -> tensor<4x3xf32>
  %d = qg.binary div %x, %y : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32> loc("normalized")
  %p = qg.matmul %d, %w : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32> loc("product")
  return %p : tensor<2x3xf32>
}
