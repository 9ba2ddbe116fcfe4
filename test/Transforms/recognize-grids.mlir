// RUN: qopt-opt %s -split-input-file --qg-recognize-grids | FileCheck %s

// A Clip of stored integers is a format of fewer bits, in front as well.
// CHECK-LABEL: func @clip_of_stored_integers
func.func @clip_of_stored_integers(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %scale = qg.constant dense<0.3> : tensor<f32> -> tensor<f32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %low = qg.constant dense<-8> : tensor<i8> -> tensor<i8>
  %high = qg.constant dense<7> : tensor<i8> -> tensor<i8>
  // CHECK: %[[Q:.*]] = qg.quantize %arg0 : tensor<2x3xf32> -> tensor<2x3x!qg.q<si4, 3.000000e-01 : 0>>
  // CHECK-NEXT: %[[D:.*]] = qg.dequantize %[[Q]]
  // CHECK-NEXT: qg.matmul %[[D]], %arg1
  %q = qg.quantize %x : tensor<2x3xf32> -> tensor<2x3x!qg.q<si8, 0.3 : 0>>
  %r = qg.dequantize %q : tensor<2x3x!qg.q<si8, 0.3 : 0>> -> tensor<2x3xf32>
  %0 = qg.binary div %r, %scale : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = qg.unary round_even %0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = qg.binary add %1, %zero : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = qg.cast %2 : tensor<2x3xf32> -> tensor<2x3xi8>
  %4 = qg.binary max %3, %low : (tensor<2x3xi8>, tensor<i8>) -> tensor<2x3xi8>
  %5 = qg.binary min %4, %high : (tensor<2x3xi8>, tensor<i8>) -> tensor<2x3xi8>
  %6 = qg.cast %5 : tensor<2x3xi8> -> tensor<2x3xf32>
  %7 = qg.binary mul %6, %scale : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %7, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// A range that is no format's is cut off in front, or, of an argument, behind.
// CHECK-LABEL: func @narrow_range
func.func @narrow_range(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %steps = qg.constant dense<32.0> : tensor<f32> -> tensor<f32>
  %step = qg.constant dense<3.125000e-02> : tensor<f32> -> tensor<f32>
  %low = qg.constant dense<-127.0> : tensor<f32> -> tensor<f32>
  %high = qg.constant dense<127.0> : tensor<f32> -> tensor<f32>
  // CHECK: %[[S:.*]] = qg.unary sigmoid
  // CHECK: %[[LOW:.*]] = qg.constant dense<-3.968750e+00>
  // CHECK: %[[M:.*]] = qg.binary max %[[S]], %[[LOW]]
  // CHECK: %[[N:.*]] = qg.binary min %[[M]]
  // CHECK: qg.quantize %[[N]] : tensor<2x3xf32> -> tensor<2x3x!qg.q<si8, 3.125000e-02 : 0>>
  %s = qg.unary sigmoid %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %0 = qg.binary mul %s, %steps : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = qg.unary round_even %0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %2 = qg.binary max %1, %low : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = qg.binary min %2, %high : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %4 = qg.binary mul %3, %step : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %4, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// x + (q(x) - x), and weights that are whole numbers of a power of two.
// CHECK-LABEL: func @straight_through
func.func @straight_through(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %four = qg.constant dense<4.0> : tensor<f32> -> tensor<f32>
  %quarter = qg.constant dense<0.25> : tensor<f32> -> tensor<f32>
  %zero = qg.constant dense<0.0> : tensor<f32> -> tensor<f32>
  %top = qg.constant dense<15.0> : tensor<f32> -> tensor<f32>
  // CHECK: %[[Q:.*]] = qg.quantize %arg0 : tensor<2x3xf32> -> tensor<2x3x!qg.q<ui4, 2.500000e-01 : 0>>
  // CHECK-NEXT: %[[D:.*]] = qg.dequantize %[[Q]]
  // CHECK: %[[C:.*]] = qg.constant dense<{{\[}}[3, 1], [0, -1], [-1, 0]]> : tensor<3x2xi8> -> tensor<3x2x!qg.q<si3, axis = 1,
  // CHECK: %[[W:.*]] = qg.dequantize %[[C]]
  // CHECK: qg.matmul %[[D]], %[[W]] bias
  %w = qg.constant dense<[[0.75, 0.5], [0.0, -0.5], [-0.25, 0.0]]> : tensor<3x2xf32> -> tensor<3x2xf32>
  %b = qg.constant dense<[0.0625, -1.0]> : tensor<2xf32> -> tensor<2xf32>
  %t = qg.binary mul %x, %four : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %r = qg.unary round_even %t : tensor<2x3xf32> -> tensor<2x3xf32>
  %nt = qg.unary neg %t : tensor<2x3xf32> -> tensor<2x3xf32>
  %dt = qg.binary add %nt, %r : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %st = qg.binary add %t, %dt : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %0 = qg.binary min %st, %top : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = qg.binary max %0, %zero : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %q = qg.binary mul %1, %quarter : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %d = qg.binary sub %q, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %s = qg.binary add %d, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %y = qg.matmul %s, %w bias %b : (tensor<2x3xf32>, tensor<3x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----
// Half up is no qg.quantize: it stays, and is encoded behind; steps that differ
// by feature are whole numbers of the finest.
// CHECK-LABEL: func @floor_by_feature
func.func @floor_by_feature(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %steps = qg.constant dense<[16.0, 4.0, 8.0]> : tensor<3xf32> -> tensor<3xf32>
  %half = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %low = qg.constant dense<[-1.0, -2.0, -0.5]> : tensor<3xf32> -> tensor<3xf32>
  %high = qg.constant dense<[0.9375, 1.75, 0.375]> : tensor<3xf32> -> tensor<3xf32>
  // CHECK: qg.binary min %arg0
  // CHECK: qg.binary max
  // CHECK: qg.unary floor
  // CHECK: %[[V:.*]] = qg.binary div
  // CHECK: qg.quantize %[[V]] : tensor<2x3xf32> -> tensor<2x3x!qg.q<si6, 6.250000e-02 : 0>>
  %g = qg.compare gt %x, %high : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  %0 = qg.select %g, %high, %x : (tensor<2x3xi1>, tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %l = qg.compare gt %low, %0 : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  %1 = qg.select %l, %low, %0 : (tensor<2x3xi1>, tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = qg.binary mul %1, %steps : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %3 = qg.binary add %2, %half : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %4 = qg.unary floor %3 : tensor<2x3xf32> -> tensor<2x3xf32>
  %5 = qg.binary div %4, %steps : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %y = qg.matmul %5, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----
// Stored integers are padded and selected as such, under their zero point; an
// argument of bytes is one of stored integers.
// CHECK-LABEL: func @moved_integers(
// CHECK-SAME: %arg0: tensor<2x2x!qg.q<ui8, 5.000000e-01 : 7>>
func.func @moved_integers(%x: tensor<2x2xui8>, %w: tensor<3x4xf32>, %z: tensor<1xf32>) -> (tensor<2x4xf32>, tensor<1xf32>) {
  %seven = qg.constant dense<7> : tensor<ui8> -> tensor<ui8>
  %zero = qg.constant dense<7.0> : tensor<f32> -> tensor<f32>
  %scale = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  // CHECK: %[[F:.*]] = qg.constant dense<7> : tensor<i8> -> tensor<!qg.q<ui8, 5.000000e-01 : 7>>
  // CHECK: %[[P:.*]] = qg.pad constant %arg0 value %[[F]] low [0, 1] high [0, 0]
  // CHECK: qg.dequantize %[[P]]
  %p = qg.pad constant %x value %seven low [0, 1] high [0, 0] : (tensor<2x2xui8>, tensor<ui8>) -> tensor<2x3xui8>
  %0 = qg.cast %p : tensor<2x3xui8> -> tensor<2x3xf32>
  %1 = qg.binary sub %0, %zero : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %2 = qg.binary mul %1, %scale : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %2, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  // The file has encodings: bytes at its interface may be of one.
  %q = qg.quantize %z : tensor<1xf32> -> tensor<1x!qg.q<ui8, 0.5 : 7>>
  %d = qg.dequantize %q : tensor<1x!qg.q<ui8, 0.5 : 7>> -> tensor<1xf32>
  return %y, %d : tensor<2x4xf32>, tensor<1xf32>
}

// -----
// Weights behind Cast, Sub, Mul and Reshape, in groups of two: the zero point
// that is that of all is taken into the integers.
// CHECK-LABEL: func @weights_in_groups
func.func @weights_in_groups(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  // CHECK: %[[C:.*]] = qg.constant dense<{{\[}}[-8, -7, 1, 2], [3, 4, -1, 7]]> : tensor<2x4xi8> -> tensor<2x4x!qg.q<si4, axis = 0, group = 2, dense_resource<{{.*}}> : tensor<4xf32>>>
  // CHECK: %[[W:.*]] = qg.dequantize %[[C]]
  // CHECK: qg.matmul %arg0, %[[W]] transpose_rhs
  %q = qg.constant dense<[[[0, 1], [9, 10]], [[11, 12], [7, 15]]]> : tensor<2x2x2xi8> -> tensor<2x2x2xui8>
  %zero = qg.constant dense<8.0> : tensor<f32> -> tensor<f32>
  %scales = qg.constant dense<[[[0.5], [0.25]], [[0.1], [0.3]]]> : tensor<2x2x1xf32> -> tensor<2x2x1xf32>
  %0 = qg.cast %q : tensor<2x2x2xui8> -> tensor<2x2x2xf32>
  %1 = qg.binary sub %0, %zero : (tensor<2x2x2xf32>, tensor<f32>) -> tensor<2x2x2xf32>
  %2 = qg.binary mul %scales, %1 : (tensor<2x2x1xf32>, tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %w = qg.reshape %2 : tensor<2x2x2xf32> -> tensor<2x4xf32>
  %y = qg.matmul %x, %w transpose_rhs : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----
// Integers with their factor behind the product, converted or not.
// CHECK-LABEL: func @factor_behind_the_product
func.func @factor_behind_the_product(%x: tensor<1x2xf32>) -> (tensor<1x3xf32>, tensor<1x3xf32>) {
  %scales = qg.constant dense<[0.5, 0.3, 0.1]> : tensor<3xf32> -> tensor<3xf32>
  // CHECK-COUNT-2: qg.constant dense<{{\[}}[100, -7, 3], [1, 2, -128]]> : tensor<2x3xi8> -> tensor<2x3x!qg.q<si8, 1.000000e+00 : 0>>
  %q = qg.constant dense<[[100, -7, 3], [1, 2, -128]]> : tensor<2x3xi8> -> tensor<2x3xi8>
  %v = qg.constant dense<[[100.0, -7.0, 3.0], [1.0, 2.0, -128.0]]> : tensor<2x3xf32> -> tensor<2x3xf32>
  %w = qg.cast %q : tensor<2x3xi8> -> tensor<2x3xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
  %y = qg.binary mul %0, %scales : (tensor<1x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %1 = qg.matmul %x, %v : (tensor<1x2xf32>, tensor<2x3xf32>) -> tensor<1x3xf32>
  %z = qg.binary mul %1, %scales : (tensor<1x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  return %y, %z : tensor<1x3xf32>, tensor<1x3xf32>
}

// -----
// How Keras cuts a relu off: a minimum, and so the saturation of the encoding.
// CHECK-LABEL: func @masked_bound
func.func @masked_bound(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %top = qg.constant dense<3.75> : tensor<f32> -> tensor<f32>
  %tops = qg.constant dense<3.75> : tensor<2x3xf32> -> tensor<2x3xf32>
  %false = qg.constant dense<false> : tensor<i1> -> tensor<i1>
  %four = qg.constant dense<4.0> : tensor<f32> -> tensor<f32>
  %quarter = qg.constant dense<0.25> : tensor<f32> -> tensor<f32>
  // CHECK: %[[R:.*]] = qg.unary relu %arg0
  // CHECK: %[[M:.*]] = qg.binary min %[[R]]
  // CHECK: qg.quantize %[[M]] : tensor<2x3xf32> -> tensor<2x3x!qg.q<ui4, 2.500000e-01 : 0>>
  %in = qg.compare le %x, %top : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  %out = qg.compare eq %in, %false : (tensor<2x3xi1>, tensor<i1>) -> tensor<2x3xi1>
  %in1 = qg.cast %in : tensor<2x3xi1> -> tensor<2x3xf32>
  %out1 = qg.cast %out : tensor<2x3xi1> -> tensor<2x3xf32>
  %r = qg.unary relu %x : tensor<2x3xf32> -> tensor<2x3xf32>
  %0 = qg.binary mul %in1, %r : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = qg.binary mul %out1, %tops : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = qg.binary add %0, %1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = qg.binary mul %2, %four : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %4 = qg.unary round_even %3 : tensor<2x3xf32> -> tensor<2x3xf32>
  %5 = qg.binary mul %4, %quarter : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %y = qg.matmul %5, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// A sign is one of three integers, a choice of 0.5 and -0.5 a sign of something.
// CHECK-LABEL: func @signs
// CHECK: %[[S:.*]] = qg.unary sign
// CHECK: qg.quantize %[[S]] : tensor<1x2xf32> -> tensor<1x2x!qg.q<si2, 1.000000e+00 : 0>>
// CHECK: %[[C:.*]] = qg.select
// CHECK: qg.quantize %[[C]] : tensor<1x2xf32> -> tensor<1x2x!qg.q<si2, 5.000000e-01 : 0>>
func.func @signs(%x: tensor<1x2xf32>, %c: tensor<1x2xi1>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<[[0.3, -0.7], [0.9, 0.2]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %high = qg.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %low = qg.constant dense<-0.5> : tensor<f32> -> tensor<f32>
  %s = qg.unary sign %x : tensor<1x2xf32> -> tensor<1x2xf32>
  %y = qg.matmul %s, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %t = qg.select %c, %high, %low : (tensor<1x2xi1>, tensor<f32>, tensor<f32>) -> tensor<1x2xf32>
  %z = qg.matmul %t, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y, %z : tensor<1x2xf32>, tensor<1x2xf32>
}

// -----
// The mean of four encoded values is their sum, of 6 bits, on a finer grid; what
// truncates it is then between two grids.
// CHECK-LABEL: func @truncated_mean
func.func @truncated_mean(%x: tensor<1x2x8x!qg.q<ui4, 0.25 : 0>>, %w: tensor<2x3xf32>) -> tensor<1x2x3xf32> {
  %steps = qg.constant dense<0.0625> : tensor<f32> -> tensor<f32>
  %four = qg.constant dense<4.0> : tensor<f32> -> tensor<f32>
  %real = qg.dequantize %x : tensor<1x2x8x!qg.q<ui4, 0.25 : 0>> -> tensor<1x2x8xf32>
  %last = qg.transpose %real perm [0, 2, 1] : tensor<1x2x8xf32> -> tensor<1x8x2xf32>
  // CHECK: %[[M:.*]] = qg.pool {{ ?}}avg
  // CHECK: %[[Q:.*]] = qg.quantize %[[M]] : tensor<1x2x2xf32> -> tensor<1x2x2x!qg.q<ui6, 6.250000e-02 : 0>>
  // CHECK: qg.dequantize %[[Q]]
  // CHECK: qg.quantize %{{.*}} : tensor<1x2x2xf32> -> tensor<1x2x2x!qg.q<ui4, 6.250000e-02 : 0>>
  %mean = qg.pool avg %last kernel [4] strides [4] pads [0, 0] dilations [1] : tensor<1x8x2xf32> -> tensor<1x2x2xf32>
  %0 = qg.binary div %mean, %steps : (tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %1 = qg.unary round_even %0 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = qg.binary div %1, %four : (tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %3 = qg.unary floor %2 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %4 = qg.binary mul %3, %steps : (tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %y = qg.matmul %4, %w : (tensor<1x2x2xf32>, tensor<2x3xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}
