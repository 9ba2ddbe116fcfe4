// RUN: qopt-opt %s --qg-print-pointwise-regions --split-input-file --verify-diagnostics

// No remark is expected here: nothing may become a table.

// A constant that differs by channel is no scalar function; nor is a
// broadcast of the input.
func.func @refused(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<3x2xf32>) {
  %c = qg.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %w = qg.constant dense<1.0> : tensor<3x2xf32> -> tensor<3x2xf32>
  %a = qg.binary add %x, %c : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %b = qg.binary add %x, %w : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %a, %b : tensor<1x2xf32>, tensor<3x2xf32>
}

// -----
// A softmax looks at whole rows, a sum at whole columns.
func.func @rows(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<4xf32>) {
  %0 = qg.softmax %x : tensor<2x4xf32> -> tensor<2x4xf32>
  %1 = qg.reduce sum %x axes [0] : tensor<2x4xf32> -> tensor<4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<4xf32>
}

// -----
// Two tensors meet: neither alone decides.
func.func @two_tensors(%x: tensor<2x4xf32>, %z: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = qg.binary add %x, %z : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
// Constants alone are folded, not tabled.
func.func @no_input() -> tensor<2x4xf32> {
  %c = qg.constant dense<1.0> : tensor<2x4xf32> -> tensor<2x4xf32>
  %0 = qg.unary exp %c : tensor<2x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----
// Encoded operands are computed in integers already.
func.func @encoded(%x: tensor<4x!qg.q<ui8, 0.5 : 0>>) -> tensor<4x!qg.q<ui8, 0.5 : 0>> {
  %0 = qg.unary relu %x : tensor<4x!qg.q<ui8, 0.5 : 0>> -> tensor<4x!qg.q<ui8, 0.5 : 0>>
  return %0 : tensor<4x!qg.q<ui8, 0.5 : 0>>
}
