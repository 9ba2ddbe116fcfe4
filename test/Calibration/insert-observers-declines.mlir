// RUN: qopt-opt %s --split-input-file --qg-insert-observers | FileCheck %s

// Only floats are quantized: indices, truth values and halves are not, and
// nobody needs the range of what nobody reads.
// CHECK-LABEL: func @main
// CHECK-NEXT: qg.observe "table" %arg0
// CHECK-NOT: qg.observe
func.func @main(%t: tensor<3x2xf32> {qg.name = "table"}, %i: tensor<1xi64> {qg.name = "indices"},
    %c: tensor<3x2xi1> {qg.name = "condition"}, %h: tensor<2xf16> {qg.name = "half"},
    %u: tensor<2xf32> {qg.name = "unread"}) -> (tensor<1x2xf32>, tensor<2xf16>, tensor<3x2xi1>) {
  %0 = qg.gather %t, %i axis 0 : (tensor<3x2xf32>, tensor<1xi64>) -> tensor<1x2xf32>
  return %0, %h, %c : tensor<1x2xf32>, tensor<2xf16>, tensor<3x2xi1>
}

// -----
// A maximum has the range of its input; an average has one of its own.
// CHECK-LABEL: func @main
// CHECK: %[[X:.*]] = qg.observe "x" %arg0
// CHECK: %[[M:.*]] = qg.pool max %[[X]]
// CHECK-NEXT: %[[A:.*]] = qg.pool avg %[[M]]
// CHECK-NEXT: qg.observe "average" %[[A]]
func.func @main(%x: tensor<1x4x2xf32> {qg.name = "x"}) -> tensor<1x1x2xf32> {
  %0 = qg.pool max %x kernel [2] strides [2] pads [0, 0] dilations [1] : tensor<1x4x2xf32> -> tensor<1x2x2xf32> loc("maximum")
  %1 = qg.pool avg %0 kernel [2] strides [1] pads [0, 0] dilations [1] : tensor<1x2x2xf32> -> tensor<1x1x2xf32> loc("average")
  return %1 : tensor<1x1x2xf32>
}

// -----
// A relu whose input is read elsewhere folds into nothing: the product is
// observed in front of it, and the relu as a function of its own.
// CHECK-LABEL: func @main
// CHECK: %[[P:.*]] = qg.matmul
// CHECK-NEXT: %[[O:.*]] = qg.observe "product" %[[P]]
// CHECK-NEXT: %[[R:.*]] = qg.unary relu %[[O]]
// CHECK-NEXT: %[[S:.*]] = qg.observe "relu" %[[R]]
// CHECK-NEXT: return %[[O]], %[[S]]
func.func @main(%x: tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %w = qg.constant dense<1.0> : tensor<4x3xf32> -> tensor<4x3xf32>
  %0 = qg.matmul %x, %w : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32> loc("product")
  %1 = qg.unary relu %0 : tensor<2x3xf32> -> tensor<2x3xf32> loc("relu")
  return %0, %1 : tensor<2x3xf32>, tensor<2x3xf32>
}

// -----
// A channel may have a step of its own only where all readers are depthwise.
// CHECK-LABEL: func @main
// CHECK: qg.observe "image" %arg0 : tensor
// CHECK-NOT: qg.per_channel
func.func @main(%x: tensor<1x1x1x2xf32> {qg.name = "image"}) -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %w = qg.constant dense<1.0> : tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %v = qg.constant dense<1.0> : tensor<2x1x1x2xf32> -> tensor<2x1x1x2xf32>
  %0 = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  %1 = qg.conv %x, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return %0, %1 : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}

// -----
// A declaration has no tensors.
// CHECK-LABEL: func private @main
// CHECK-NOT: qg.observe
func.func private @main(tensor<2x4xf32>) -> tensor<2x3xf32>
