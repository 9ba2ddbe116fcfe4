// RUN: qopt-opt %s --split-input-file --convert-fxp-to-linalg | FileCheck %s

// Graph ops beside it are another pass's: floats go through unchanged.
// CHECK-LABEL: func @beside
// CHECK: %[[Y:.*]] = qg.unary exp %arg0
// CHECK: linalg.generic {{.*}} ins(%[[Y]]
// CHECK-NOT: fxp.
func.func @beside(%x: tensor<4xf32>) -> tensor<4xi8> {
  %0 = qg.unary exp %x : tensor<4xf32> -> tensor<4xf32>
  %1 = fxp.quantize %0 scales dense<0.5> : tensor<1xf32> zps [3] axis 0 clamp [0, 255] unsigned : tensor<4xf32> -> tensor<4xi8>
  return %1 : tensor<4xi8>
}

// -----
// Tensors that hold encoded integers are not lowered behind its back.
// CHECK-LABEL: func @encoded
// CHECK: qg.quantize %arg0
func.func @encoded(%x: tensor<4xf32>) -> tensor<4x!qg.q<ui8, 0.5 : 3>> {
  %0 = qg.quantize %x : tensor<4xf32> -> tensor<4x!qg.q<ui8, 0.5 : 3>>
  return %0 : tensor<4x!qg.q<ui8, 0.5 : 3>>
}
