// RUN: qopt-opt %s --convert-to-linalg | FileCheck %s

// A float island between integers: both dialects are gone at once

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    tensor<4xi8>
// CHECK-NOT:     {{fxp|qg}}.
// CHECK:         linalg.generic
// CHECK:         return %{{.*}} : tensor<4xi8>
func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  %f = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [3] axis 0 : tensor<4xi8> -> tensor<4xf32>
  %y = qg.unary tanh %f : tensor<4xf32> -> tensor<4xf32>
  %q = fxp.quantize %y scales dense<0.01> : tensor<1xf32> zps [0] axis 0 clamp [-128, 127] : tensor<4xf32> -> tensor<4xi8>
  return %q : tensor<4xi8>
}
