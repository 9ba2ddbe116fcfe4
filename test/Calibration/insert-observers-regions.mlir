// RUN: qopt-opt %s --qg-insert-observers | FileCheck %s

// The product inside a hard swish is no tensor of its own, and neither is what
// a division and a scale make of it: one observer, behind the whole chain.
// CHECK-LABEL: func @main
// CHECK: qg.observe "image" %arg0
// CHECK: %[[C:.*]] = qg.conv
// CHECK-NEXT: qg.observe "conv" %[[C]]
// CHECK-NOT: qg.observe
// CHECK: %[[E:.*]] = qg.binary add {{.*}} : (tensor<1x4x4x1xf32>, tensor<1xf32>)
// CHECK-NEXT: %[[O:.*]] = qg.observe "shifted" %[[E]]
// CHECK-NEXT: return %[[O]]
func.func @main(%x: tensor<1x4x4x1xf32> {qg.name = "image"}) -> tensor<1x4x4x1xf32> {
  %w = qg.constant dense<1.0> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %three = qg.constant dense<3.0> : tensor<f32> -> tensor<f32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %six = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
  %half = qg.constant dense<0.5> : tensor<1xf32> -> tensor<1xf32>
  %c = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x4x4x1xf32> loc("conv")
  %0 = qg.binary add %c, %three : (tensor<1x4x4x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %1 = qg.binary max %0, %zero : (tensor<1x4x4x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %2 = qg.binary min %1, %six : (tensor<1x4x4x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %3 = qg.binary mul %c, %2 : (tensor<1x4x4x1xf32>, tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32> loc("product")
  %4 = qg.binary div %3, %six : (tensor<1x4x4x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %5 = qg.binary mul %half, %4 : (tensor<1xf32>, tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32>
  %6 = qg.binary add %5, %half : (tensor<1x4x4x1xf32>, tensor<1xf32>) -> tensor<1x4x4x1xf32> loc("shifted")
  return %6 : tensor<1x4x4x1xf32>
}
