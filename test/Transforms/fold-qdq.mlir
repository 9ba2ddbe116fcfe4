// RUN: qopt-opt %s --qg-fold-qdq | FileCheck %s

!x = !qg.q<ui8, 0.5 : 128>
!y = !qg.q<ui8, 0.25 : 10>
!w = !qg.q<si8, axis = 0, dense_resource<ws> : tensor<2xf32>>

// Bias in the accumulator's scale stays as it is, relu is a clamp at the zero
// point.
// CHECK-LABEL: func @conv_relu
func.func @conv_relu(%q: tensor<1x4x4x1x!x>) -> tensor<1x4x4x2x!y> {
  %x = qg.dequantize %q : tensor<1x4x4x1x!x> -> tensor<1x4x4x1xf32>
  %qw = qg.constant dense<1> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!w>
  %w = qg.dequantize %qw : tensor<2x1x1x1x!w> -> tensor<2x1x1x1xf32>
  %qb = qg.constant dense<[7, 8]> : tensor<2xi32> -> tensor<2x!qg.q<si32, axis = 0, dense_resource<bs> : tensor<2xf32>>>
  %b = qg.dequantize %qb : tensor<2x!qg.q<si32, axis = 0, dense_resource<bs> : tensor<2xf32>>> -> tensor<2xf32>
  // CHECK: qg.conv %arg0, %{{.*}} bias %{{.*}} clamp [10, 255] : (tensor<1x4x4x1x!qg.q<ui8, 5.000000e-01 : 128>>, {{.*}}, tensor<2x!qg.q<si32, axis = 0, {{.*}}>>) -> tensor<1x4x4x2x!qg.q<ui8, 2.500000e-01 : 10>>
  // CHECK-NEXT: return
  %c = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x1xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
  %r = qg.unary relu %c : tensor<1x4x4x2xf32> -> tensor<1x4x4x2xf32>
  %o = qg.quantize %r : tensor<1x4x4x2xf32> -> tensor<1x4x4x2x!y>
  return %o : tensor<1x4x4x2x!y>
}

// A bias in another scale becomes real numbers; clip is a clamp on both sides;
// the quantize rises above the reshape.
// CHECK-LABEL: func @conv_clip_reshape
func.func @conv_clip_reshape(%q: tensor<1x4x4x1x!x>) -> tensor<1x32x!y> {
  %x = qg.dequantize %q : tensor<1x4x4x1x!x> -> tensor<1x4x4x1xf32>
  %qw = qg.constant dense<1> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!w>
  %w = qg.dequantize %qw : tensor<2x1x1x1x!w> -> tensor<2x1x1x1xf32>
  %qb = qg.constant dense<[7, 8]> : tensor<2xi32> -> tensor<2x!qg.q<si32, 0.5 : 0>>
  %b = qg.dequantize %qb : tensor<2x!qg.q<si32, 0.5 : 0>> -> tensor<2xf32>
  %low = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %high = qg.constant dense<6.0> : tensor<f32> -> tensor<f32>
  // CHECK: qg.constant dense<[3.500000e+00, 4.000000e+00]> : tensor<2xf32>
  // CHECK: %[[C:.*]] = qg.conv {{.*}} clamp [10, 34]
  // CHECK: %[[R:.*]] = qg.reshape %[[C]]
  // CHECK-NEXT: return %[[R]]
  %c = qg.conv %x, %w bias %b strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x4x4x1xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
  %r = qg.binary max %c, %low : (tensor<1x4x4x2xf32>, tensor<f32>) -> tensor<1x4x4x2xf32>
  %s = qg.binary min %r, %high : (tensor<1x4x4x2xf32>, tensor<f32>) -> tensor<1x4x4x2xf32>
  %f = qg.reshape %s : tensor<1x4x4x2xf32> -> tensor<1x32xf32>
  %o = qg.quantize %f : tensor<1x32xf32> -> tensor<1x32x!y>
  return %o : tensor<1x32x!y>
}

// Nothing quantizes the result: the op gives floats. An added channel constant
// is its bias.
// CHECK-LABEL: func @matmul_to_float
func.func @matmul_to_float(%q: tensor<1x3x!x>) -> tensor<1x2xf32> {
  %x = qg.dequantize %q : tensor<1x3x!x> -> tensor<1x3xf32>
  %qw = qg.constant dense<1> : tensor<3x2xi8> -> tensor<3x2x!qg.q<si8, axis = 1, dense_resource<ws> : tensor<2xf32>>>
  %w = qg.dequantize %qw : tensor<3x2x!qg.q<si8, axis = 1, dense_resource<ws> : tensor<2xf32>>> -> tensor<3x2xf32>
  %b = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  // CHECK: %[[Y:.*]] = qg.matmul %arg0, %{{.*}} bias %{{.*}} : (tensor<1x3x!qg.q<{{.*}}>>, {{.*}}) -> tensor<1x2xf32>
  // CHECK-NEXT: return %[[Y]]
  %y = qg.matmul %x, %w : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  %z = qg.binary add %y, %b : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}

// A maximum commutes with both; the pair around it cancels.
// CHECK-LABEL: func @moves_and_maxima
// CHECK-NEXT: %[[V:.*]] = qg.constant dense<126>
// CHECK-NEXT: %[[P:.*]] = qg.pool max %arg0
// CHECK-NEXT: %[[R:.*]] = qg.pad constant %[[P]] value %[[V]]
// CHECK-NEXT: return %[[R]]
func.func @moves_and_maxima(%q: tensor<1x4x4x1x!x>) -> tensor<1x4x4x1x!x> {
  %x = qg.dequantize %q : tensor<1x4x4x1x!x> -> tensor<1x4x4x1xf32>
  %v = qg.constant dense<-1.0> : tensor<f32> -> tensor<f32>
  %p = qg.pool max %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x1xf32> -> tensor<1x2x2x1xf32>
  %r = qg.pad constant %p value %v low [0, 1, 1, 0] high [0, 1, 1, 0] : (tensor<1x2x2x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %o = qg.quantize %r : tensor<1x4x4x1xf32> -> tensor<1x4x4x1x!x>
  return %o : tensor<1x4x4x1x!x>
}

// The padding value lies between two steps: the pad stays float.
// CHECK-LABEL: func @padding_between_steps
// CHECK: qg.pad {{.*}} -> tensor<4xf32>
func.func @padding_between_steps(%q: tensor<2x!x>) -> tensor<4x!x> {
  %x = qg.dequantize %q : tensor<2x!x> -> tensor<2xf32>
  %v = qg.constant dense<-0.75> : tensor<f32> -> tensor<f32>
  %r = qg.pad constant %x value %v low [1] high [1] : (tensor<2xf32>, tensor<f32>) -> tensor<4xf32>
  %o = qg.quantize %r : tensor<4xf32> -> tensor<4x!x>
  return %o : tensor<4x!x>
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%a: tensor<1x2x!x>, %b: tensor<1x2x!y>) -> (tensor<1x2x!y>, tensor<1x4x!y>, tensor<1xf32>) {
  %x = qg.dequantize %a : tensor<1x2x!x> -> tensor<1x2xf32>
  %y = qg.dequantize %b : tensor<1x2x!y> -> tensor<1x2xf32>
  // CHECK: %[[S:.*]] = qg.binary sub %arg0, %arg1 clamp [10, 255]
  %s = qg.binary sub %x, %y : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = qg.unary relu %s : tensor<1x2xf32> -> tensor<1x2xf32>
  %o = qg.quantize %r : tensor<1x2xf32> -> tensor<1x2x!y>
  // CHECK: qg.concat %arg0, %arg1 axis 1
  %c = qg.concat %x, %y axis 1 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %p = qg.quantize %c : tensor<1x4xf32> -> tensor<1x4x!y>
  // CHECK: qg.reduce sum %arg0 axes [1] : tensor<1x2x!qg.q<{{.*}}>> -> tensor<1xf32>
  %t = qg.reduce sum %x axes [1] : tensor<1x2xf32> -> tensor<1xf32>
  return %o, %p, %t : tensor<1x2x!y>, tensor<1x4x!y>, tensor<1xf32>
}

// A relu behind moved elements is in their way to the op that made them.
// CHECK-LABEL: func @relu_behind_moves
// CHECK: %[[S:.*]] = qg.binary sub %arg0, %arg1 clamp [10, 255]
// CHECK: %[[R:.*]] = qg.reshape %[[S]]
// CHECK: qg.transpose %[[R]] perm [1, 0] : tensor<2x3x!qg.q<{{.*}}>>
func.func @relu_behind_moves(%a: tensor<6x!x>, %b: tensor<6x!y>) -> tensor<3x2x!y> {
  %x = qg.dequantize %a : tensor<6x!x> -> tensor<6xf32>
  %y = qg.dequantize %b : tensor<6x!y> -> tensor<6xf32>
  %s = qg.binary sub %x, %y : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  %m = qg.reshape %s : tensor<6xf32> -> tensor<2x3xf32>
  %t = qg.transpose %m perm [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %r = qg.unary relu %t : tensor<3x2xf32> -> tensor<3x2xf32>
  %o = qg.quantize %r : tensor<3x2xf32> -> tensor<3x2x!y>
  return %o : tensor<3x2x!y>
}

// Weights that leave signed bytes around their zero point are several, of
// channels that are read again.
// CHECK-LABEL: func @wide_weights
// CHECK: %[[X:.*]] = qg.gather %arg0, {{.*}} axis 3
// CHECK: qg.conv %[[X]], {{.*}} tensor<1x1x1x3x!qg.q<si8, 5.000000e-01 : 0>>)
func.func @wide_weights(%q: tensor<1x2x2x1x!x>) -> tensor<1x2x2x1xf32> {
  %x = qg.dequantize %q : tensor<1x2x2x1x!x> -> tensor<1x2x2x1xf32>
  %qw = qg.constant dense<-1> : tensor<1x1x1x1xi8> -> tensor<1x1x1x1x!qg.q<ui8, 0.5 : 0>>
  %w = qg.dequantize %qw : tensor<1x1x1x1x!qg.q<ui8, 0.5 : 0>> -> tensor<1x1x1x1xf32>
  %y = qg.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  return %y : tensor<1x2x2x1xf32>
}

// Sixteen bits are two bytes, each multiplied in integers.
// CHECK-LABEL: func @sixteen_bits
// CHECK: %[[H:.*]] = qg.quantize {{.*}} -> tensor<1x2x!qg.q<ui8, 1.000000e+00 : 1>>
// CHECK: %[[L:.*]] = qg.quantize {{.*}} -> tensor<1x2x!qg.q<ui8, 1.000000e+00 : 44>>
// CHECK: qg.matmul %[[H]], {{.*}} -> tensor<1x1xi32>
// CHECK: qg.matmul %[[L]], {{.*}} -> tensor<1x1xi32>
// CHECK: qg.cast {{.*}} : tensor<1x1xi32> -> tensor<1x1xf32>
func.func @sixteen_bits(%q: tensor<1x2x!qg.q<ui16, 0.5 : 300>>) -> tensor<1x1xf32> {
  %x = qg.dequantize %q : tensor<1x2x!qg.q<ui16, 0.5 : 300>> -> tensor<1x2xf32>
  %qw = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.5 : 0>>
  %w = qg.dequantize %qw : tensor<2x1x!qg.q<si8, 0.5 : 0>> -> tensor<2x1xf32>
  %y = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

{-#
  dialect_resources: {
    builtin: {
      ws: "0x040000000000803F0000003F",
      bs: "0x040000000000003F0000803E"
    }
  }
#-}
