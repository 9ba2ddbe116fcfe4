// RUN: qopt-opt %s --convert-qg-to-fxp --split-input-file --verify-diagnostics

// 70000 * 255 * 127 + .. does not fit.
func.func @accumulator(%x: tensor<1x70000x!qg.q<ui8, 0.5 : 0>>) -> tensor<1x1xf32> {
  %w = qg.constant dense<127> : tensor<70000x1xi8> -> tensor<70000x1x!qg.q<si8, 0.5 : 0>>
  // expected-error @below {{expects accumulators within 32 bits, channel 0 can reach 2266950000}}
  // expected-error @below {{failed to legalize}}
  %y = qg.matmul %x, %w : (tensor<1x70000x!qg.q<ui8, 0.5 : 0>>, tensor<70000x1x!qg.q<si8, 0.5 : 0>>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

func.func @bias(%x: tensor<1x2x!qg.q<ui8, 1.0e-6 : 0>>) -> tensor<1x1xf32> {
  %w = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 1.0e-6 : 0>>
  %b = qg.constant dense<1.0> : tensor<1xf32> -> tensor<1xf32>
  // expected-error @below {{expects a bias that fits 32 bits in the accumulator's scale}}
  // expected-error @below {{failed to legalize}}
  %y = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<ui8, 1.0e-6 : 0>>, tensor<2x1x!qg.q<si8, 1.0e-6 : 0>>, tensor<1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

func.func @sixteen_bits(%x: tensor<1x2x!qg.q<ui16, 0.5 : 0>>) -> tensor<1x1xf32> {
  %w = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.5 : 0>>
  // expected-error @below {{expects an 8-bit lhs per tensor}}
  // expected-error @below {{failed to legalize}}
  %y = qg.matmul %x, %w : (tensor<1x2x!qg.q<ui16, 0.5 : 0>>, tensor<2x1x!qg.q<si8, 0.5 : 0>>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
