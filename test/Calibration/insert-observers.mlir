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

// -----

// What a product reads is observed whatever made it, in front of what moves it:
// rows of a table, and both sides of a product of two tensors.
// CHECK-LABEL: func @main
func.func @main(%i: tensor<2xi64> {qg.name = "i"}, %x: tensor<2x4x5xf32> {qg.name = "x"}, %y: tensor<1x4xf32> {qg.name = "y"}) -> (tensor<2x3xf32>, tensor<2x2xf32>) {
  // CHECK: %[[Y:.*]] = qg.observe "y"
  // CHECK: %[[X:.*]] = qg.observe "x"
  %w = qg.constant dense<1.0> : tensor<4x3xf32> -> tensor<4x3xf32>
  %table = qg.constant dense<2.0> : tensor<5x4xf32> -> tensor<5x4xf32>
  // CHECK: %[[ROWS:.*]] = qg.gather
  // CHECK-NEXT: %[[R:.*]] = qg.observe "rows" %[[ROWS]]
  // CHECK-NEXT: qg.matmul %[[R]]
  %rows = qg.gather %table, %i axis 0 : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<2x4xf32> loc("rows")
  %a = qg.matmul %rows, %w : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32> loc("a")
  // CHECK: %[[MOST:.*]] = qg.reduce max %[[X]]
  // CHECK-NEXT: %[[M:.*]] = qg.observe "most" %[[MOST]]
  // CHECK-NEXT: %[[T:.*]] = qg.transpose %[[M]]
  // CHECK-NEXT: %[[LARGER:.*]] = qg.binary max %[[M]], %[[Y]]
  // CHECK-NEXT: %[[L:.*]] = qg.observe "larger" %[[LARGER]]
  // CHECK-NEXT: qg.matmul %[[L]], %[[T]]
  %most = qg.reduce max %x axes [2] : tensor<2x4x5xf32> -> tensor<2x4xf32> loc("most")
  %moved = qg.transpose %most perm [1, 0] : tensor<2x4xf32> -> tensor<4x2xf32>
  %larger = qg.binary max %most, %y : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32> loc("larger")
  %b = qg.matmul %larger, %moved : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32> loc("b")
  return %a, %b : tensor<2x3xf32>, tensor<2x2xf32>
}

// -----

// Rows of a table, and weights in integers, that no product reads alone.
// CHECK-LABEL: func @main
// CHECK-NOT: qg.observe "rows"
// CHECK-NOT: qg.observe "decoded"
func.func @main(%i: tensor<2xi64> {qg.name = "i"}, %x: tensor<2x4xf32> {qg.name = "x"}) -> (tensor<2x4xf32>, tensor<2x2xf32>) {
  %table = qg.constant dense<2.0> : tensor<5x4xf32> -> tensor<5x4xf32>
  %rows = qg.gather %table, %i axis 0 : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<2x4xf32> loc("rows")
  %a = qg.binary add %rows, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32> loc("a")
  %stored = qg.constant dense<3> : tensor<4x2xi8> -> tensor<4x2x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %stored : tensor<4x2x!qg.q<si8, 0.5 : 0>> -> tensor<4x2xf32> loc("decoded")
  %b = qg.matmul %x, %w : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32> loc("b")
  return %a, %b : tensor<2x4xf32>, tensor<2x2xf32>
}
