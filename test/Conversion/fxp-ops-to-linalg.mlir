// RUN: qopt-opt %s --convert-fxp-to-linalg --split-input-file | FileCheck %s

// Clamped in floats to [0 - 3, 255 - 3], rounded by adding 1.5 * 2^23, and the
// zero point leaves together with the bits of that number.
// CHECK-LABEL: func @requantize_by_floats
// CHECK:       %[[F:.*]] = arith.sitofp %{{.*}} : i32 to f32
// CHECK:       arith.mulf %[[F]]
// CHECK-DAG:   arith.constant -3.000000e+00 : f32
// CHECK-DAG:   arith.constant 2.520000e+02 : f32
// CHECK:       %[[M:.*]] = arith.constant 0x4B400000 : f32
// CHECK:       %[[S:.*]] = arith.addf %{{.*}}, %[[M]] : f32
// CHECK:       arith.bitcast %[[S]] : f32 to i32
// CHECK:       arith.constant -1262485501 : i32
// CHECK:       arith.trunci %{{.*}} : i32 to i8
func.func @requantize_by_floats(%x: tensor<2x4xi32>) -> tensor<2x4xi8> {
  %y = fxp.requantize %x scales dense<0.25> : tensor<1xf32> x_zp 0 zp 3 clamp [0, 255] unsigned mode <f32> : tensor<2x4xi32> -> tensor<2x4xi8>
  return %y : tensor<2x4xi8>
}

// -----
// 1/4 = 2^30 / 2^32; the product is exact in 64 bits and no float is left.
// CHECK-LABEL: func @requantize_by_multipliers
// CHECK-DAG:   arith.constant dense<1073741824> : tensor<i64>
// CHECK-DAG:   arith.constant dense<32> : tensor<i64>
// CHECK:       arith.extsi %{{.*}} : i32 to i64
// CHECK:       arith.muli %{{.*}} : i64
// CHECK:       arith.shrsi
// CHECK-NOT:   f32
// CHECK:       return
func.func @requantize_by_multipliers(%x: tensor<2x4xi32>) -> tensor<2x4xi8> {
  %y = fxp.requantize %x scales dense<0.25> : tensor<1xf32> x_zp 0 zp 3 clamp [-128, 127] mode <fixed, 31> : tensor<2x4xi32> -> tensor<2x4xi8>
  return %y : tensor<2x4xi8>
}

// -----
// 0.3 is nearest to 1/4 by ratio: a shift of 2.
// CHECK-LABEL: func @requantize_by_shifts
// CHECK-DAG:   arith.constant dense<1> : tensor<i64>
// CHECK-DAG:   arith.constant dense<2> : tensor<i64>
func.func @requantize_by_shifts(%x: tensor<2x4xi32>) -> tensor<2x4xi8> {
  %y = fxp.requantize %x scales dense<0.3> : tensor<1xf32> x_zp 0 zp 3 clamp [-128, 127] mode <pow2> : tensor<2x4xi32> -> tensor<2x4xi8>
  return %y : tensor<2x4xi8>
}

// -----
// Scales per channel are read by the last dimension.
// CHECK-DAG:   #[[LAST:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func @requantize_by_channel
// CHECK:       linalg.generic {indexing_maps = [#{{.*}}, #[[LAST]], #{{.*}}]
func.func @requantize_by_channel(%x: tensor<2x2xi32>) -> tensor<2x2xi8> {
  %y = fxp.requantize %x scales dense<[0.25, 0.5]> : tensor<2xf32> x_zp 0 zp 3 clamp [-128, 127] mode <f32> : tensor<2x2xi32> -> tensor<2x2xi8>
  return %y : tensor<2x2xi8>
}

// -----
// Each operand is read with its own signedness.
// CHECK-LABEL: func @product
// CHECK:       %[[L:.*]] = arith.extui %{{.*}} : i8 to i32
// CHECK:       %[[R:.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK:       arith.constant 3 : i32
// CHECK:       arith.subi %[[L]]
// CHECK:       arith.constant -5 : i32
// CHECK:       arith.subi %[[R]]
// CHECK:       arith.muli
func.func @product(%x: tensor<2x1xi8>, %z: tensor<4xi8>) -> tensor<2x4xi32> {
  %y = fxp.mul %x, %z zps [3, -5] lhs_unsigned : (tensor<2x1xi8>, tensor<4xi8>) -> tensor<2x4xi32>
  return %y : tensor<2x4xi32>
}

// -----
// One rounding of a fused sum; a negative scale subtracts.
// CHECK-LABEL: func @sum_of_encodings
// CHECK:       %[[R:.*]] = arith.mulf
// CHECK:       math.fma %{{.*}}, %{{.*}}, %[[R]] : f32
func.func @sum_of_encodings(%x: tensor<4xi8>, %z: tensor<4xi8>) -> tensor<4xi8> {
  %y = fxp.add %x, %z scales [0.5, -0.25] zps [1, 2] zp 3 clamp [-128, 127] mode <f32> : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----
// The border holds the smallest byte, which no maximum keeps: 0 for unsigned
// bytes, -128 for signed ones.
// CHECK-LABEL: func @unsigned_maximum
// CHECK:       %[[LOW:.*]] = arith.constant 0 : i8
// CHECK:       linalg.fill ins(%[[LOW]] : i8)
// CHECK:       tensor.insert_slice %arg0 into %{{.*}}[0, 1, 1, 0] [1, 4, 4, 2] [1, 1, 1, 1]
// CHECK:       arith.maxui
func.func @unsigned_maximum(%x: tensor<1x4x4x2xi8>) -> tensor<1x5x5x2xi8> {
  %y = fxp.max_pool %x kernel [2, 2] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] x_unsigned : tensor<1x4x4x2xi8> -> tensor<1x5x5x2xi8>
  return %y : tensor<1x5x5x2xi8>
}

// -----
// CHECK-LABEL: func @signed_maximum
// CHECK:       arith.constant -128 : i8
// CHECK:       arith.maxsi
func.func @signed_maximum(%x: tensor<1x4x4x2xi8>) -> tensor<1x5x5x2xi8> {
  %y = fxp.max_pool %x kernel [2, 2] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] : tensor<1x4x4x2xi8> -> tensor<1x5x5x2xi8>
  return %y : tensor<1x5x5x2xi8>
}

// -----
// NaN becomes zero, which is the zero point after rounding.
// CHECK-LABEL: func @quantize
// CHECK:       %[[Q:.*]] = arith.divf
// CHECK:       %[[NAN:.*]] = arith.cmpf une, %[[Q]], %[[Q]] : f32
// CHECK:       arith.select %[[NAN]], %{{.*}}, %[[Q]] : f32
func.func @quantize(%x: tensor<4xf32>) -> tensor<4xi8> {
  %y = fxp.quantize %x scales dense<0.5> : tensor<1xf32> zps [3] axis 0 clamp [0, 255] unsigned : tensor<4xf32> -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----
// CHECK-LABEL: func @dequantize
// CHECK:       %[[I:.*]] = arith.extui %{{.*}} : i8 to i32
// CHECK:       %[[D:.*]] = arith.subi %[[I]]
// CHECK:       %[[F:.*]] = arith.sitofp %[[D]] : i32 to f32
// CHECK:       arith.mulf %[[F]]
func.func @dequantize(%x: tensor<4xi8>) -> tensor<4xf32> {
  %y = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [3] axis 0 x_unsigned : tensor<4xi8> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----
// CHECK-LABEL: func @sum
// CHECK:       iterator_types = ["reduction", "parallel"]
// CHECK:       arith.extsi
// CHECK:       arith.subi
// CHECK:       arith.addi
func.func @sum(%x: tensor<4x2xi8>) -> tensor<2xi32> {
  %y = fxp.sum %x axes [0] x_zp 3 : tensor<4x2xi8> -> tensor<2xi32>
  return %y : tensor<2xi32>
}
