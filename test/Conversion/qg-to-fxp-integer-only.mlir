// RUN: qopt-opt %s --convert-qg-to-fxp=integer-only | FileCheck %s --check-prefixes=CHECK,ONLY
// RUN: qopt-opt %s --convert-qg-to-fxp | FileCheck %s --check-prefixes=CHECK,FLOAT
// RUN: qopt-opt %s --convert-qg-to-fxp=integer-only --convert-fxp-to-linalg | FileCheck %s --check-prefix=LINALG

// Steps of 1/256 from the least integer have an integer form, and only if it
// is wanted: a quantized softmax is defined in float.
// CHECK-LABEL: func @softmax
// ONLY: fxp.softmax %arg0 table dense_resource<softmax_{{.*}}> : tensor<256xi32> x_unsigned zp -128 clamp [-128, 127] : tensor<2x10xi8> -> tensor<2x10xi8>
// FLOAT: fxp.dequantize
// FLOAT: qg.softmax
// FLOAT: fxp.quantize
// LINALG-LABEL: func @softmax
// LINALG: arith.maxsi
// LINALG: tensor.extract
// LINALG: arith.divui
func.func @softmax(%x: tensor<2x10x!qg.q<ui8, 0.125 : 9>>) -> tensor<2x10x!qg.q<si8, 0.00390625 : -128>> {
  %y = qg.softmax %x : tensor<2x10x!qg.q<ui8, 0.125 : 9>> -> tensor<2x10x!qg.q<si8, 0.00390625 : -128>>
  return %y : tensor<2x10x!qg.q<si8, 0.00390625 : -128>>
}

// CHECK-LABEL: func @other_steps
// CHECK: qg.softmax
func.func @other_steps(%x: tensor<10x!qg.q<ui8, 0.125 : 9>>) -> tensor<10x!qg.q<ui8, 0.0078125 : 0>> {
  %y = qg.softmax %x : tensor<10x!qg.q<ui8, 0.125 : 9>> -> tensor<10x!qg.q<ui8, 0.0078125 : 0>>
  return %y : tensor<10x!qg.q<ui8, 0.0078125 : 0>>
}
