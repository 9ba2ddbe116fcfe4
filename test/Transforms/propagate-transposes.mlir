// RUN: qopt-opt %s --qg-propagate-transposes --canonicalize --split-input-file | FileCheck %s

// Between two convolutions nothing is left; the constant by channel follows.
// CHECK-LABEL: func @between_convolutions
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x5x7xf32>
// CHECK: %[[T:.*]] = qg.transpose %[[X]] perm [0, 2, 3, 1]
// CHECK: %[[C:.*]] = qg.conv %[[T]]
// CHECK: %[[A:.*]] = qg.binary mul %[[C]], %{{.*}} : (tensor<1x5x7x3xf32>, tensor<1x1x1x3xf32>)
// CHECK: %[[R:.*]] = qg.unary relu %[[A]] : tensor<1x5x7x3xf32>
// CHECK: %[[D:.*]] = qg.conv %[[R]]
// CHECK: %[[Y:.*]] = qg.transpose %[[D]] perm [0, 3, 1, 2]
// CHECK: return %[[Y]]
func.func @between_convolutions(%x: tensor<1x2x5x7xf32>, %w: tensor<3x1x1x2xf32>, %v: tensor<2x1x1x3xf32>) -> tensor<1x2x5x7xf32> {
  %scale = qg.constant dense<[[[1.0]], [[2.0]], [[3.0]]]> : tensor<3x1x1xf32> -> tensor<3x1x1xf32>
  %0 = qg.transpose %x perm [0, 2, 3, 1] : tensor<1x2x5x7xf32> -> tensor<1x5x7x2xf32>
  %1 = qg.conv %0, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x5x7x2xf32>, tensor<3x1x1x2xf32>) -> tensor<1x5x7x3xf32>
  %2 = qg.transpose %1 perm [0, 3, 1, 2] : tensor<1x5x7x3xf32> -> tensor<1x3x5x7xf32>
  %3 = qg.binary mul %2, %scale : (tensor<1x3x5x7xf32>, tensor<3x1x1xf32>) -> tensor<1x3x5x7xf32>
  %4 = qg.unary relu %3 : tensor<1x3x5x7xf32> -> tensor<1x3x5x7xf32>
  %5 = qg.transpose %4 perm [0, 2, 3, 1] : tensor<1x3x5x7xf32> -> tensor<1x5x7x3xf32>
  %6 = qg.conv %5, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x5x7x3xf32>, tensor<2x1x1x3xf32>) -> tensor<1x5x7x2xf32>
  %7 = qg.transpose %6 perm [0, 3, 1, 2] : tensor<1x5x7x2xf32> -> tensor<1x2x5x7xf32>
  return %7 : tensor<1x2x5x7xf32>
}

// -----
// A residual connection that is read twice: sinking one op at a time would
// stop here.
// CHECK-LABEL: func @residual
// CHECK-COUNT-1: qg.transpose
// CHECK: qg.binary add %{{.*}}, %{{.*}} : (tensor<1x5x7x2xf32>, tensor<1x5x7x2xf32>)
// CHECK-NOT: qg.transpose
// CHECK: return
func.func @residual(%x: tensor<1x2x5x7xf32>, %w: tensor<2x1x1x2xf32>) -> tensor<1x2xf32> {
  %0 = qg.transpose %x perm [0, 2, 3, 1] : tensor<1x2x5x7xf32> -> tensor<1x5x7x2xf32>
  %1 = qg.conv %0, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x5x7x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x5x7x2xf32>
  %2 = qg.transpose %1 perm [0, 3, 1, 2] : tensor<1x5x7x2xf32> -> tensor<1x2x5x7xf32>
  %3 = qg.unary relu %2 : tensor<1x2x5x7xf32> -> tensor<1x2x5x7xf32>
  %4 = qg.transpose %3 perm [0, 2, 3, 1] : tensor<1x2x5x7xf32> -> tensor<1x5x7x2xf32>
  %5 = qg.conv %4, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x5x7x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x5x7x2xf32>
  %6 = qg.transpose %5 perm [0, 3, 1, 2] : tensor<1x5x7x2xf32> -> tensor<1x2x5x7xf32>
  %7 = qg.binary add %6, %3 : (tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32>
  %8 = qg.reduce sum %7 axes [2, 3] : tensor<1x2x5x7xf32> -> tensor<1x2xf32>
  return %8 : tensor<1x2xf32>
}

// -----
// A gate of shape [1, C, 1, 1] is only reshaped.
// CHECK-LABEL: func @squeeze_and_excite
// CHECK-NOT: qg.transpose
// CHECK: %[[P:.*]] = qg.pool avg
// CHECK: %[[S:.*]] = qg.unary sigmoid %[[P]] : tensor<1x1x1x3xf32>
// CHECK: qg.binary mul %{{.*}}, %[[S]] : (tensor<1x2x2x3xf32>, tensor<1x1x1x3xf32>)
// CHECK-NOT: qg.transpose
// CHECK: return
func.func @squeeze_and_excite(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  %0 = qg.transpose %x perm [0, 3, 1, 2] : tensor<1x2x2x3xf32> -> tensor<1x3x2x2xf32>
  %1 = qg.transpose %0 perm [0, 2, 3, 1] : tensor<1x3x2x2xf32> -> tensor<1x2x2x3xf32>
  %2 = qg.pool avg %1 kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x2x3xf32> -> tensor<1x1x1x3xf32>
  %3 = qg.transpose %2 perm [0, 3, 1, 2] : tensor<1x1x1x3xf32> -> tensor<1x3x1x1xf32>
  %4 = qg.unary sigmoid %3 : tensor<1x3x1x1xf32> -> tensor<1x3x1x1xf32>
  %5 = qg.binary mul %0, %4 : (tensor<1x3x2x2xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x2x2xf32>
  %6 = qg.transpose %5 perm [0, 2, 3, 1] : tensor<1x3x2x2xf32> -> tensor<1x2x2x3xf32>
  return %6 : tensor<1x2x2x3xf32>
}

// -----
// Attributes that name dimensions follow.
// CHECK-LABEL: func @attributes_follow
// CHECK-NOT: qg.transpose
// CHECK: qg.pad constant %{{.*}} low [0, 0, 1, 0] high [0, 0, 2, 0] : (tensor<1x2x3x4xf32>) -> tensor<1x2x6x4xf32>
// CHECK: qg.slice %{{.*}} offsets [0, 1, 0, 2] strides [1, 1, 1, 1] : tensor<1x2x6x4xf32> -> tensor<1x1x6x2xf32>
// CHECK: qg.concat %{{.*}}, %{{.*}} axis 3 : (tensor<1x1x6x2xf32>, tensor<1x1x6x2xf32>) -> tensor<1x1x6x4xf32>
// CHECK: qg.gather %{{.*}}, %{{.*}} axis 2 : (tensor<1x1x6x4xf32>, tensor<1xi64>) -> tensor<1x1x1x4xf32>
func.func @attributes_follow(%x: tensor<1x2x3x4xf32>) -> tensor<1x1x1x4xf32> {
  %i = qg.constant dense<2> : tensor<1xi64> -> tensor<1xi64>
  %0 = qg.transpose %x perm [0, 3, 1, 2] : tensor<1x2x3x4xf32> -> tensor<1x4x2x3xf32>
  %1 = qg.pad constant %0 low [0, 0, 0, 1] high [0, 0, 0, 2] : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x6xf32>
  %2 = qg.slice %1 offsets [0, 2, 1, 0] strides [1, 1, 1, 1] : tensor<1x4x2x6xf32> -> tensor<1x2x1x6xf32>
  %3 = qg.concat %2, %2 axis 1 : (tensor<1x2x1x6xf32>, tensor<1x2x1x6xf32>) -> tensor<1x4x1x6xf32>
  %4 = qg.gather %3, %i axis 3 : (tensor<1x4x1x6xf32>, tensor<1xi64>) -> tensor<1x4x1x1xf32>
  %5 = qg.transpose %4 perm [0, 2, 3, 1] : tensor<1x4x1x1xf32> -> tensor<1x1x1x4xf32>
  return %5 : tensor<1x1x1x4xf32>
}

// -----
// Nearest-neighbour upsampling by reshapes and a broadcast.
// CHECK-LABEL: func @upsample
// CHECK-NOT: qg.transpose
// CHECK: qg.broadcast %{{.*}} : tensor<1x2x1x3x1x4xf32> -> tensor<1x2x2x3x2x4xf32>
// CHECK-NOT: qg.transpose
func.func @upsample(%x: tensor<1x2x3x4xf32>) -> tensor<1x4x6x4xf32> {
  %0 = qg.transpose %x perm [0, 3, 1, 2] : tensor<1x2x3x4xf32> -> tensor<1x4x2x3xf32>
  %1 = qg.reshape %0 : tensor<1x4x2x3xf32> -> tensor<1x4x2x1x3x1xf32>
  %2 = qg.broadcast %1 : tensor<1x4x2x1x3x1xf32> -> tensor<1x4x2x2x3x2xf32>
  %3 = qg.reshape %2 : tensor<1x4x2x2x3x2xf32> -> tensor<1x4x4x6xf32>
  %4 = qg.transpose %3 perm [0, 2, 3, 1] : tensor<1x4x4x6xf32> -> tensor<1x4x6x4xf32>
  return %4 : tensor<1x4x6x4xf32>
}

// -----
// The weight rows of the first fully connected layer absorb the order of the
// flatten: row c * 2 + w moves to row w * 2 + c.
// CHECK-LABEL: func @flatten
// CHECK-SAME: (%[[X:.*]]: tensor<1x1x2x2xf32>)
// CHECK: %[[W:.*]] = qg.constant dense<{{\[\[}}0.000000e+00], [2.000000e+00], [1.000000e+00], [3.000000e+00]]>
// CHECK: %[[F:.*]] = qg.reshape %[[X]] : tensor<1x1x2x2xf32> -> tensor<1x4xf32>
// CHECK: %[[R:.*]] = qg.unary relu %[[F]]
// CHECK: qg.matmul %[[R]], %[[W]]
func.func @flatten(%x: tensor<1x1x2x2xf32>) -> tensor<1x1xf32> {
  %w = qg.constant dense<[[0.0], [1.0], [2.0], [3.0]]> : tensor<4x1xf32> -> tensor<4x1xf32>
  %0 = qg.transpose %x perm [0, 3, 1, 2] : tensor<1x1x2x2xf32> -> tensor<1x2x1x2xf32>
  %1 = qg.reshape %0 : tensor<1x2x1x2xf32> -> tensor<1x4xf32>
  %2 = qg.unary relu %1 : tensor<1x4xf32> -> tensor<1x4xf32>
  %3 = qg.matmul %2, %w : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
  return %3 : tensor<1x1xf32>
}

// -----
// Quantized activations and weights take the same way; the input is moved
// where it is smallest.
// CHECK-LABEL: func @quantized
// CHECK: %[[Q:.*]] = qg.quantize %{{.*}} : tensor<1x2x3x3xf32>
// CHECK: %[[T:.*]] = qg.transpose %[[Q]] perm [0, 2, 3, 1]
// CHECK: %[[D:.*]] = qg.dequantize %[[T]]
// CHECK: qg.conv %[[D]]
// CHECK-NOT: qg.transpose
// CHECK: qg.matmul
func.func @quantized(%x: tensor<1x2x3x3xf32>, %w: tensor<2x1x1x2xf32>) -> tensor<1x1xf32> {
  %0 = qg.quantize %x : tensor<1x2x3x3xf32> -> tensor<1x2x3x3x!qg.q<ui8, 0.5 : 128>>
  %1 = qg.dequantize %0 : tensor<1x2x3x3x!qg.q<ui8, 0.5 : 128>> -> tensor<1x2x3x3xf32>
  %2 = qg.transpose %1 perm [0, 2, 3, 1] : tensor<1x2x3x3xf32> -> tensor<1x3x3x2xf32>
  %3 = qg.conv %2, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x3x3x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x3x3x2xf32>
  %4 = qg.transpose %3 perm [0, 3, 1, 2] : tensor<1x3x3x2xf32> -> tensor<1x2x3x3xf32>
  %5 = qg.quantize %4 : tensor<1x2x3x3xf32> -> tensor<1x2x3x3x!qg.q<ui8, 0.5 : 128>>
  %6 = qg.reshape %5 : tensor<1x2x3x3x!qg.q<ui8, 0.5 : 128>> -> tensor<1x18x!qg.q<ui8, 0.5 : 128>>
  %7 = qg.dequantize %6 : tensor<1x18x!qg.q<ui8, 0.5 : 128>> -> tensor<1x18xf32>
  %v = qg.constant dense<1> : tensor<18x1xi8> -> tensor<18x1x!qg.q<si8, 0.5 : 0>>
  %8 = qg.dequantize %v : tensor<18x1x!qg.q<si8, 0.5 : 0>> -> tensor<18x1xf32>
  %9 = qg.matmul %7, %8 : (tensor<1x18xf32>, tensor<18x1xf32>) -> tensor<1x1xf32>
  return %9 : tensor<1x1xf32>
}

// -----
// A weight that is not constant can not absorb the order.
// CHECK-LABEL: func @flatten_refused
// CHECK: qg.transpose
func.func @flatten_refused(%x: tensor<1x1x2x2xf32>, %w: tensor<4x1xf32>) -> tensor<1x1xf32> {
  %0 = qg.transpose %x perm [0, 3, 1, 2] : tensor<1x1x2x2xf32> -> tensor<1x2x1x2xf32>
  %1 = qg.reshape %0 : tensor<1x2x1x2xf32> -> tensor<1x4xf32>
  %2 = qg.matmul %1, %w : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
  return %2 : tensor<1x1xf32>
}

// -----
// A reduction that would add in another order stays where it is.
// CHECK-LABEL: func @reduce_refused
// CHECK: qg.transpose %{{.*}} perm [0, 2, 1]
// CHECK: qg.reduce sum %{{.*}} axes [1, 2] : tensor<2x4x3xf32>
func.func @reduce_refused(%x: tensor<2x3x4xf32>) -> tensor<2xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  %1 = qg.reduce sum %0 axes [1, 2] : tensor<2x4x3xf32> -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----
// Moving the transpose of a user's tensor elsewhere would save nothing.
// CHECK-LABEL: func @no_gain
// CHECK: qg.transpose
// CHECK-NEXT: qg.unary relu
func.func @no_gain(%x: tensor<2x3x4xf32>) -> tensor<2x4x3xf32> {
  %0 = qg.transpose %x perm [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  %1 = qg.unary relu %0 : tensor<2x4x3xf32> -> tensor<2x4x3xf32>
  return %1 : tensor<2x4x3xf32>
}
