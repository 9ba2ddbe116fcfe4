// RUN: qopt-opt %s --fxp-keep-integer-core=drop-head | FileCheck %s

// Quantization in front and a softmax in floats behind stay with the caller

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %[[X:.*]]: tensor<4xi8> {hls.element = si5, qg.name = "x"}
// CHECK-SAME:    -> (tensor<4xi8> {qg.name = "y"})
// CHECK-NEXT:    %[[Y:.*]] = fxp.lut %[[X]]
// CHECK-NEXT:    return %[[Y]]
func.func @main(%x: tensor<4xf32> {qg.name = "x"}) -> (tensor<4xf32> {qg.name = "y"}) {
  %q = fxp.quantize %x scales dense<0.5> : tensor<1xf32> zps [3] axis 0 clamp [-16, 15] : tensor<4xf32> -> tensor<4xi8>
  %t = fxp.lut %q table dense<7> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
  %f = fxp.dequantize %t scales dense<0.5> : tensor<1xf32> zps [3] axis 0 : tensor<4xi8> -> tensor<4xf32>
  %y = qg.softmax %f : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}
