// RUN: qopt-opt %s --fxp-keep-integer-core --split-input-file --verify-diagnostics

func.func @main(%x: tensor<4xi8>) -> tensor<4xf32> {
  %t = fxp.lut %x table dense<7> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
  %f = fxp.dequantize %t scales dense<0.5> : tensor<1xf32> zps [3] axis 0 : tensor<4xi8> -> tensor<4xf32>
  // expected-error @+1 {{computes in float; --outputs=quantized stops before it}}
  %y = qg.softmax %f : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  %t = fxp.lut %x table dense<7> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
  // expected-error @+1 {{computes in float between integer layers}}
  %f = fxp.dequantize %t scales dense<0.5> : tensor<1xf32> zps [3] axis 0 : tensor<4xi8> -> tensor<4xf32>
  // expected-error @+1 {{computes in float between integer layers}}
  %q = fxp.quantize %f scales dense<0.25> : tensor<1xf32> zps [3] axis 0 clamp [-16, 15] : tensor<4xf32> -> tensor<4xi8>
  %y = fxp.lut %q table dense<7> : tensor<256xi8> : tensor<4xi8> -> tensor<4xi8>
  return %y : tensor<4xi8>
}
