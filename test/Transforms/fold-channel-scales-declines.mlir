// RUN: qopt-opt %s --qg-fold-channel-scales | FileCheck %s

!steps = !qg.q<ui8, axis = 3, dense_resource<steps> : tensor<2xf32>, dense_resource<zeros> : tensor<2xi32>>
!others = !qg.q<ui8, axis = 3, dense_resource<steps> : tensor<2xf32>, dense_resource<others> : tensor<2xi32>>
!wide = !qg.q<ui16, axis = 3, dense_resource<steps> : tensor<2xf32>, dense_resource<zeros> : tensor<2xi32>>
!rows = !qg.q<ui8, axis = 2, dense_resource<steps> : tensor<2xf32>, dense_resource<zeros> : tensor<2xi32>>
!ones = !qg.q<si8, axis = 0, dense_resource<ones> : tensor<2xf32>>
!one = !qg.q<si8, 1.0 : 0>

// The twin of what follows: two steps become one.
// CHECK-LABEL: func @twin
// CHECK: %[[X:.*]] = qg.binary mul %arg0
// CHECK: qg.quantize %[[X]] : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, 2.000000e+00 : 7>>
func.func @twin(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x1x!ones> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// One zero point cannot stand for 7 and 8.
// CHECK-LABEL: func @zero_points
// CHECK-NOT: qg.binary
// CHECK: qg.quantize %arg0 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, axis = 3
func.func @zero_points(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!others>
  %d = qg.dequantize %q : tensor<1x1x1x2x!others> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x1x!ones> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// Depthwise kernels read bytes.
// CHECK-LABEL: func @sixteen_bits
// CHECK-NOT: qg.binary
// CHECK: qg.quantize %arg0 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui16, axis = 3
func.func @sixteen_bits(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!wide>
  %d = qg.dequantize %q : tensor<1x1x1x2x!wide> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x1x!ones> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// Scales by row are none by channel.
// CHECK-LABEL: func @rows
// CHECK-NOT: qg.binary
// CHECK: qg.quantize %arg0 : tensor<1x1x2x2xf32> -> tensor<1x1x2x2x!qg.q<ui8, axis = 2
func.func @rows(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %q = qg.quantize %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2x!rows>
  %d = qg.dequantize %q : tensor<1x1x2x2x!rows> -> tensor<1x1x2x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x1x!ones> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}

// Each output sums up both channels: its weight has one scale for the two.
// CHECK-LABEL: func @channels_mixed
// CHECK-NOT: qg.binary
// CHECK: qg.quantize %arg0 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, axis = 3
func.func @channels_mixed(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x2xi8> -> tensor<2x1x1x2x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x2x!ones> -> tensor<2x1x1x2xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// Weights under one scale cannot take a factor by channel.
// CHECK-LABEL: func @one_weight_scale
// CHECK-NOT: qg.binary
// CHECK: qg.quantize %arg0 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, axis = 3
func.func @one_weight_scale(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!one>
  %v = qg.dequantize %w : tensor<2x1x1x1x!one> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// Nor can weights that are not known.
// CHECK-LABEL: func @computed_weight
// CHECK-NOT: qg.binary
// CHECK: qg.quantize %arg0 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, axis = 3
func.func @computed_weight(%x: tensor<1x1x1x2xf32>, %v: tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// A sigmoid reads the values themselves.
// CHECK-LABEL: func @other_reader
// CHECK-NOT: qg.binary
// CHECK: qg.quantize %arg0 : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!qg.q<ui8, axis = 3
func.func @other_reader(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %q = qg.quantize %x : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %y = qg.unary sigmoid %d : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// A sigmoid is not linear: the factor goes before the quantize, not into the
// weights in front of it.
// CHECK-LABEL: func @behind_sigmoid
// CHECK: %[[W:.*]] = qg.constant dense<5>
// CHECK: %[[V:.*]] = qg.dequantize %[[W]]
// CHECK: qg.conv %arg0, %[[V]]
// CHECK: %[[S:.*]] = qg.unary sigmoid
// CHECK: %[[X:.*]] = qg.binary mul %[[S]]
// CHECK: qg.quantize %[[X]]
func.func @behind_sigmoid(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %p = qg.constant dense<5> : tensor<2x1x1x2xi8> -> tensor<2x1x1x2x!ones>
  %f = qg.dequantize %p : tensor<2x1x1x2x!ones> -> tensor<2x1x1x2xf32>
  %c = qg.conv %x, %f strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %s = qg.unary sigmoid %c : tensor<1x1x1x2xf32> -> tensor<1x1x1x2xf32>
  %q = qg.quantize %s : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x1x!ones> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

// The product is read unscaled as well, and a bias that is not known cannot be
// scaled: in both cases the factor stands between.
// CHECK-LABEL: func @product_read_twice
// CHECK: %[[C:.*]] = qg.conv %arg0
// CHECK: qg.binary mul %[[C]]
func.func @product_read_twice(%x: tensor<1x1x1x2xf32>) -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %p = qg.constant dense<5> : tensor<2x1x1x2xi8> -> tensor<2x1x1x2x!ones>
  %f = qg.dequantize %p : tensor<2x1x1x2x!ones> -> tensor<2x1x1x2xf32>
  %c = qg.conv %x, %f strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %q = qg.quantize %c : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x1x!ones> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y, %c : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}

// CHECK-LABEL: func @computed_bias
// CHECK: %[[C:.*]] = qg.conv %arg0, %{{.*}} bias %arg1
// CHECK: qg.binary mul %[[C]]
func.func @computed_bias(%x: tensor<1x1x1x2xf32>, %b: tensor<2xf32>) -> tensor<1x1x1x2xf32> {
  %p = qg.constant dense<5> : tensor<2x1x1x2xi8> -> tensor<2x1x1x2x!ones>
  %f = qg.dequantize %p : tensor<2x1x1x2x!ones> -> tensor<2x1x1x2xf32>
  %c = qg.conv %x, %f bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>, tensor<2xf32>) -> tensor<1x1x1x2xf32>
  %q = qg.quantize %c : tensor<1x1x1x2xf32> -> tensor<1x1x1x2x!steps>
  %d = qg.dequantize %q : tensor<1x1x1x2x!steps> -> tensor<1x1x1x2xf32>
  %w = qg.constant dense<3> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!ones>
  %v = qg.dequantize %w : tensor<2x1x1x1x!ones> -> tensor<2x1x1x1xf32>
  %y = qg.conv %d, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 2 : (tensor<1x1x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      steps: "0x040000000000003F00000040",
      zeros: "0x040000000700000007000000",
      ones: "0x040000000000803F0000803F",
      others: "0x040000000700000008000000"
    }
  }
#-}
