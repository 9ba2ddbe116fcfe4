// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(fxp-hold-signed))' --verify-diagnostics

// The caller's bytes are unsigned, the op reads them as signed.
func.func @argument(%x: tensor<4xi8> {qg.encoding = !qg.q<ui8, 0.5 : 0>}) -> tensor<4xf32> {
  // expected-error @+1 {{a tensor is read as signed and as unsigned integers}}
  %0 = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [0] axis 0 : tensor<4xi8> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// Two readers of one tensor differ, one of them behind a move.
func.func @two_readers(%x: tensor<2x2xi8>) -> (tensor<2x2xf32>, tensor<4xf32>) {
  // expected-error @+1 {{a tensor is read as signed and as unsigned integers}}
  %0 = qg.reshape %x : tensor<2x2xi8> -> tensor<4xi8>
  %1 = fxp.dequantize %x scales dense<0.5> : tensor<1xf32> zps [0] axis 0 x_unsigned : tensor<2x2xi8> -> tensor<2x2xf32>
  %2 = fxp.dequantize %0 scales dense<0.5> : tensor<1xf32> zps [0] axis 0 : tensor<4xi8> -> tensor<4xf32>
  return %1, %2 : tensor<2x2xf32>, tensor<4xf32>
}

// -----
// Written as unsigned, handed out as signed.
func.func @result(%x: tensor<4xi32>) -> (tensor<4xi8> {qg.encoding = !qg.q<si8, 0.5 : 0>}) {
  // expected-error @+1 {{a tensor is read as signed and as unsigned integers}}
  %0 = fxp.requantize %x scales dense<0.125> : tensor<1xf32> x_zp 0 zp 0 clamp [0, 255] unsigned mode <"fixed", 31> : tensor<4xi32> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}
