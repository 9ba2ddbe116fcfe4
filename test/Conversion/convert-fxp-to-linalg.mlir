// RUN: qopt-opt %s --convert-fxp-to-linalg --split-input-file | FileCheck %s

// The border holds the zero point, so loops have no conditions.
// CHECK-LABEL: func @padded_convolution
// CHECK:       %[[ZP:.*]] = arith.constant -128 : i8
// CHECK:       linalg.fill ins(%[[ZP]] : i8)
// CHECK:       tensor.insert_slice
// CHECK:       linalg.generic
// CHECK:         arith.extui
// CHECK:         arith.extsi
// CHECK:         arith.muli
// CHECK:         arith.addi
func.func @padded_convolution(%x: tensor<1x4x4x2xi8>, %w: tensor<3x3x3x2xi8>, %b: tensor<3xi32>) -> tensor<1x4x4x3xi32> {
  %y = fxp.conv %x, %w, %b strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] groups 1 x_zp 128 x_unsigned
    : (tensor<1x4x4x2xi8>, tensor<3x3x3x2xi8>, tensor<3xi32>) -> tensor<1x4x4x3xi32>
  return %y : tensor<1x4x4x3xi32>
}

// -----
// CHECK-LABEL: func @table
// CHECK:       arith.index_castui
// CHECK:       tensor.extract
func.func @table(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = fxp.lut %x table dense<1> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
  return %y : tensor<4xi8>
}
