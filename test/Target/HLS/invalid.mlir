// RUN: qopt-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{expects a signed or unsigned element of 1 to 48 bits, got 'i8'}}
func.func @signless(%x: !hls.stream<4 x 2 x i8>) { return }

// -----
// expected-error@+1 {{expects at least one token and one lane, got 4 and 0}}
func.func @no_lanes(%x: !hls.stream<4 x 0 x si8>) { return }

// -----
func.func @two_readers(%x: !hls.stream<8 x 4 x si8>) {
  // expected-error@+1 {{expects one reader of result #0, got several: copy it with hls.fork}}
  %w = hls.width %x : !hls.stream<8 x 4 x si8> -> !hls.stream<32 x 1 x si8>
  %a = hls.width %w : !hls.stream<32 x 1 x si8> -> !hls.stream<16 x 2 x si8>
  %b = hls.width %w : !hls.stream<32 x 1 x si8> -> !hls.stream<16 x 2 x si8>
  return
}

// -----
func.func @too_many_tokens(%x: !hls.stream<16 x 4 x si8>) {
  // C5: expected-error@+1 {{expects a result of 576 elements, got 572}}
  %w = hls.window %x shape [4, 4, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill 0 : !hls.stream<16 x 4 x si8> -> !hls.stream<143 x 4 x si8>
  return
}

// -----
func.func @fill_outside(%x: !hls.stream<16 x 4 x si4>) {
  // C3: expected-error@+1 {{expects a fill inside the element's range, got -128}}
  %w = hls.window %x shape [4, 4, 4] kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] fill -128 : !hls.stream<16 x 4 x si4> -> !hls.stream<144 x 4 x si4>
  return
}

// -----
func.func @pe(%x: !hls.stream<2 x 4 x si8>) {
  // C3: expected-error@+1 {{expects pe that divides 4, got 3}}
  %m = hls.mvu %x weights dense<1> : tensor<4x8xi8> bias dense<0> : tensor<4xi32> pe 3 simd 4 memory "lutram" : !hls.stream<2 x 4 x si8> -> !hls.stream<2 x 2 x si14>
  return
}

// -----
func.func @simd(%x: !hls.stream<4 x 2 x si8>) {
  // C4: expected-error@+1 {{expects an input with 4 lanes, got 2}}
  %m = hls.mvu %x weights dense<1> : tensor<4x8xi8> bias dense<0> : tensor<4xi32> pe 2 simd 4 memory "lutram" : !hls.stream<4 x 2 x si8> -> !hls.stream<2 x 2 x si14>
  return
}

// -----
func.func @memory(%x: !hls.stream<2 x 4 x si8>) {
  // C6: expected-error@+1 {{expects memory auto, lutram or bram, got flash}}
  %m = hls.mvu %x weights dense<1> : tensor<4x8xi8> bias dense<0> : tensor<4xi32> pe 2 simd 4 memory "flash" : !hls.stream<2 x 4 x si8> -> !hls.stream<2 x 2 x si14>
  return
}

// -----
func.func @clamp(%x: !hls.stream<8 x 4 x si20>) {
  // C4: expected-error@+1 {{expects clamp [low, high] inside [-8, 7]}}
  %r = hls.requantize %x channels 4 multipliers dense<65536> : tensor<1xi32> shifts dense<20> : tensor<1xi8> x_zp 0 zp 0 clamp [-128, 127] : !hls.stream<8 x 4 x si20> -> !hls.stream<8 x 4 x si4>
  return
}

// -----
func.func @width(%x: !hls.stream<12 x 4 x si8>) {
  // C2: expected-error@+1 {{expects lanes of which one divides the other, got 4 and 3}}
  %w = hls.width %x : !hls.stream<12 x 4 x si8> -> !hls.stream<16 x 3 x si8>
  return
}

// -----
func.func @depth(%x: !hls.stream<12 x 4 x si8>) {
  // C1: expected-error@+1 {{expects a depth of at least 2, got 1}}
  %w = hls.fifo %x depth 1 : !hls.stream<12 x 4 x si8>
  return
}

// -----
func.func @channels(%x: !hls.stream<12 x 4 x si8>, %y: !hls.stream<11 x 4 x si8>) {
  // C3: expected-error@+1 {{expects operands of equal pixels}}
  %w = hls.join %x, %y channels [4, 4] : (!hls.stream<12 x 4 x si8>, !hls.stream<11 x 4 x si8>) -> !hls.stream<23 x 4 x si8>
  return
}

// -----
func.func @softmax_lanes(%x: !hls.stream<5 x 2 x si8>) {
  // C2: expected-error@+1 {{expects an input with 1 lanes, got 2}}
  %y = hls.softmax %x channels 10 table dense<1> : tensor<256xi32> zp -128 clamp [-128, 127] : !hls.stream<5 x 2 x si8> -> !hls.stream<5 x 2 x si8>
  return
}

// -----
func.func @groups(%x: !hls.stream<32 x 2 x si8>) {
  // C2: expected-error@+1 {{expects groups that divide 12 rows, got 5}}
  %m = hls.mvu %x weights dense<1> : tensor<12x2xi8> bias dense<0> : tensor<12xi32> pe 3 simd 2 memory "lutram" groups 5 : !hls.stream<32 x 2 x si8> -> !hls.stream<32 x 3 x si12>
  return
}

// -----
func.func @no_permutation(%x: !hls.stream<12 x 1 x si8>) {
  // C1: expected-error@+1 {{expects a permutation of the dimensions of shape}}
  %y = hls.permute %x shape [4, 3] permutation [1, 1] : !hls.stream<12 x 1 x si8> -> !hls.stream<12 x 1 x si8>
  return
}

// -----
func.func @same_order(%x: !hls.stream<12 x 1 x si8>) {
  // C1: expected-error@+1 {{expects an order that is another}}
  %y = hls.permute %x shape [4, 3] permutation [0, 1] : !hls.stream<12 x 1 x si8> -> !hls.stream<12 x 1 x si8>
  return
}

// -----
func.func @torn_run(%x: !hls.stream<6 x 4 x si8>) {
  // C3: expected-error@+1 {{expects lanes that divides 3, got 4}}
  %y = hls.permute %x shape [4, 2, 3] permutation [1, 0, 2] : !hls.stream<6 x 4 x si8> -> !hls.stream<6 x 4 x si8>
  return
}
