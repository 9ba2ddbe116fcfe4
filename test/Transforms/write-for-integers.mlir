// RUN: qopt-opt %s --qg-write-for-integers --split-input-file | FileCheck %s

// CHECK-LABEL: func @reflect
// CHECK: %[[I:.*]] = qg.constant dense<[2, 1, 0, 1, 2, 1]> : tensor<6xi64>
// CHECK: qg.gather %arg0, %[[I]] axis 1 : (tensor<2x3xf32>, tensor<6xi64>) -> tensor<2x6xf32>
func.func @reflect(%x: tensor<2x3xf32>) -> tensor<2x6xf32> {
  %0 = qg.pad reflect %x low [0, 2] high [0, 1] : (tensor<2x3xf32>) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// -----
// The first dimension is cropped, too.
// CHECK-LABEL: func @edge
// CHECK-DAG: qg.constant dense<1> : tensor<1xi64>
// CHECK-DAG: qg.constant dense<[0, 0, 1, 2, 2, 2]> : tensor<6xi64>
func.func @edge(%x: tensor<2x3xf32>) -> tensor<1x6xf32> {
  %0 = qg.pad edge %x low [-1, 1] high [0, 2] : (tensor<2x3xf32>) -> tensor<1x6xf32>
  return %0 : tensor<1x6xf32>
}

// -----
// CHECK-LABEL: func @wrap
// CHECK: qg.constant dense<[2, 0, 1, 2, 0, 1, 2, 0]> : tensor<8xi64>
func.func @wrap(%x: tensor<3xf32>) -> tensor<8xf32> {
  %0 = qg.pad wrap %x low [1] high [4] : (tensor<3xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----
// CHECK-LABEL: func @one_element
// CHECK: qg.constant dense<0> : tensor<3xi64>
func.func @one_element(%x: tensor<1xf32>) -> tensor<3xf32> {
  %0 = qg.pad reflect %x low [1] high [1] : (tensor<1xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// CHECK-LABEL: func @quotient
// CHECK: %[[ONE:.*]] = qg.constant dense<1.000000e+00> : tensor<f32>
// CHECK: %[[R:.*]] = qg.binary div %[[ONE]], %arg1 : (tensor<f32>, tensor<2x1xf32>) -> tensor<2x1xf32>
// CHECK: qg.binary mul %arg0, %[[R]] : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
func.func @quotient(%x: tensor<2x3xf32>, %y: tensor<2x1xf32>) -> tensor<2x3xf32> {
  %0 = qg.binary div %x, %y : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----
// CHECK-LABEL: func @smaller_of_two
// CHECK: %[[A:.*]] = qg.unary neg %arg0
// CHECK: %[[B:.*]] = qg.unary neg %arg1
// CHECK: %[[M:.*]] = qg.binary max %[[A]], %[[B]]
// CHECK: qg.unary neg %[[M]]
func.func @smaller_of_two(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %0 = qg.binary min %x, %y : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// CHECK-LABEL: func @mask_beside_a_number
// CHECK-DAG: %[[M:.*]] = qg.constant dense<[1.000000e+00, 0.000000e+00, 1.000000e+00]>
// CHECK-DAG: %[[N:.*]] = qg.constant dense<[0.000000e+00, -2.000000e+00, 0.000000e+00]>
// CHECK: %[[P:.*]] = qg.binary mul %arg0, %[[M]]
// CHECK: qg.binary add %[[P]], %[[N]]
func.func @mask_beside_a_number(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %m = qg.constant dense<[true, false, true]> : tensor<3xi1> -> tensor<3xi1>
  %c = qg.constant dense<-2.0> : tensor<f32> -> tensor<f32>
  %0 = qg.select %m, %x, %c : (tensor<3xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----
// Zero adds nothing.
// CHECK-LABEL: func @mask_beside_zero
// CHECK: qg.constant dense<[0.000000e+00, 1.000000e+00, 0.000000e+00]>
// CHECK-NEXT: %[[P:.*]] = qg.binary mul %arg0
// CHECK-NEXT: return %[[P]]
func.func @mask_beside_zero(%x: tensor<3xf32>) -> tensor<3xf32> {
  %m = qg.constant dense<[true, false, true]> : tensor<3xi1> -> tensor<3xi1>
  %c = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %0 = qg.select %m, %c, %x : (tensor<3xi1>, tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----
// Two planes of three read two each: blocks of four rows, of which the first
// rows count.
// CHECK-LABEL: func @volume
// CHECK: %[[X:.*]] = qg.concat %{{.*}}, %{{.*}} axis 4 : (tensor<1x2x4x4x1xf32>, tensor<1x2x4x4x1xf32>) -> tensor<1x2x4x4x2xf32>
// CHECK: %[[R:.*]] = qg.reshape %[[X]] : tensor<1x2x4x4x2xf32> -> tensor<1x8x4x2xf32>
// CHECK: %[[Y:.*]] = qg.conv %[[R]], %{{.*}} strides [1, 1] pads [0, 1, 2, 1] dilations [1, 1] groups 1 : (tensor<1x8x4x2xf32>, tensor<5x3x3x2xf32>) -> tensor<1x8x4x5xf32>
// CHECK: %[[V:.*]] = qg.reshape %[[Y]] : tensor<1x8x4x5xf32> -> tensor<1x2x4x4x5xf32>
// CHECK: qg.slice %[[V]] offsets [0, 0, 0, 0, 0]
func.func @volume(%x: tensor<1x3x4x4x1xf32>) -> tensor<1x2x2x4x5xf32> {
  %w = qg.constant dense<0.5> : tensor<5x2x3x3x1xf32> -> tensor<5x2x3x3x1xf32>
  %0 = qg.conv %x, %w strides [1, 1, 1] pads [0, 0, 1, 0, 0, 1] dilations [1, 1, 1] groups 1 : (tensor<1x3x4x4x1xf32>, tensor<5x2x3x3x1xf32>) -> tensor<1x2x2x4x5xf32>
  return %0 : tensor<1x2x2x4x5xf32>
}

// -----
// CHECK-LABEL: func @pool_of_a_volume
// CHECK: qg.pool max %{{.*}} kernel [1, 2] strides [1, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x4x48xf32> -> tensor<1x1x2x48xf32>
// CHECK: qg.pool max %{{.*}} kernel [1, 3] strides [1, 1] pads [0, 1, 0, 1] dilations [1, 1] : tensor<1x2x4x12xf32> -> tensor<1x2x4x12xf32>
// CHECK: qg.pool max %{{.*}} kernel [1, 2] strides [1, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x8x4x3xf32> -> tensor<1x8x2x3xf32>
func.func @pool_of_a_volume(%x: tensor<1x4x4x4x3xf32>) -> tensor<1x2x4x2x3xf32> {
  %0 = qg.pool max %x kernel [2, 3, 2] strides [2, 1, 2] pads [0, 1, 0, 0, 1, 0] dilations [1, 1, 1] : tensor<1x4x4x4x3xf32> -> tensor<1x2x4x2x3xf32>
  return %0 : tensor<1x2x4x2x3xf32>
}

// -----
// CHECK-LABEL: func @mean_of_a_volume
// CHECK: qg.pool avg %{{.*}} kernel [64] {{.*}} : tensor<1x64x3xf32> -> tensor<1x1x3xf32>
func.func @mean_of_a_volume(%x: tensor<1x4x4x4x3xf32>) -> tensor<1x1x1x1x3xf32> {
  %0 = qg.pool avg %x kernel [4, 4, 4] strides [1, 1, 1] pads [0, 0, 0, 0, 0, 0] dilations [1, 1, 1] : tensor<1x4x4x4x3xf32> -> tensor<1x1x1x1x3xf32>
  return %0 : tensor<1x1x1x1x3xf32>
}
