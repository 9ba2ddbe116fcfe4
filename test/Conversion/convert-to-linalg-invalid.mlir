// RUN: qopt-opt %s --convert-to-linalg --verify-diagnostics

// Quantized operands belong to convert-qg-to-fxp.
func.func @quantized(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4x!qg.q<ui8, 0.5 : 0>> {
  // expected-error @+1 {{failed to legalize operation 'qg.unary'}}
  %y = qg.unary exp %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<4x!qg.q<ui8, 0.5 : 0>>
  return %y : tensor<4x!qg.q<ui8, 0.5 : 0>>
}
