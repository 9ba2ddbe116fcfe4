// The constraints C1, C2, .. of fxp.recurrent as its description numbers them.
// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @operands(%x: tensor<2x1x3xi16>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C1: expected-error@+1 {{expects i8 operands, got 'tensor<2x1x3xi16>'}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi16>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @state(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<2x1xi8>) {
  // C1: expected-error@+1 {{expects 'hidden' of shape [1, 1], got 'tensor<2x1xi8>'}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<2x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @no_cell(%x: tensor<2x1x3xi8>, %w: tensor<4x3xi8>, %r: tensor<4x1xi8>, %b: tensor<4xi32>, %s: tensor<4xi32>, %h: tensor<1x1xi8>) {
  // C1: expected-error@+1 {{expects x [T, B, I], r [G * H, H], and a cell state for lstm alone, got 'tensor<2x1x3xi8>' and 'tensor<4x1xi8>'}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "lstm", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<4xf32>, state_scales = dense<1.0> : tensor<4xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<4x3xi8>, tensor<4x1xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @kind(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C2: expected-error@+1 {{expects kind lstm, gru or rnn with what belongs to it, got elman}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "elman", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @flag(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C2: expected-error@+1 {{expects kind lstm, gru or rnn with what belongs to it, got rnn}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {reset_first, kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @weights(%x: tensor<2x1x3xi8>, %w: tensor<2x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C2: expected-error@+1 {{expects 'w' of shape [1, 3], got 'tensor<2x3xi8>'}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<2x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @bias(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi16>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C3: expected-error@+1 {{expects a bias of type 'tensor<1xi32>', got 'tensor<1xi16>'}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi16>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @gate_scales(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C4: expected-error@+1 {{expects 1 f32 scales of gates, got 'tensor<2xf32>'}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<2xf32>, state_scales = dense<1.0> : tensor<2xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @scales(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C4: expected-error@+1 {{expects 6 scales and 2 zero points of signed bytes}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @bits(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C5: expected-error@+1 {{expects states of 4 to 15 bits behind the point}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 16, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @mode(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C5: expected-error@+1 {{expects rounding by integers, got mode f32}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<f32>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}

// -----
func.func @result(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C6: expected-error@+1 {{expects a result of type 'tensor<2x1x1xi8>', got 'tensor<3x1x1xi8>'}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -128, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<3x1x1xi8>
  return
}

// -----
func.func @clamp(%x: tensor<2x1x3xi8>, %w: tensor<1x3xi8>, %r: tensor<1x1xi8>, %b: tensor<1xi32>, %s: tensor<1xi32>, %h: tensor<1x1xi8>) {
  // C6: expected-error@+1 {{expects clamp [low, high] inside [-128, 127]}}
  %0 = fxp.recurrent %x, %w, %r, %b, %s, %h {kind = "rnn", x_zp = 0, hidden_zp = 0, cell_zp = 0, zp = 0, clamp = array<i64: -129, 127>, x_scales = dense<1.0> : tensor<1xf32>, state_scales = dense<1.0> : tensor<1xf32>, scales = array<f32: 1.0, 1.0, 1.0, 1.0, 1.0, 1.0>, state_zps = array<i64: 0, 0>, hidden_bits = 15, cell_bits = 15, mode = #fxp.mode<fixed, 31>} : (tensor<2x1x3xi8>, tensor<1x3xi8>, tensor<1x1xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1x1xi8>) -> tensor<2x1x1xi8>
  return
}
