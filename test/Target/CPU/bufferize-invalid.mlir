// RUN: qopt-opt %s --split-input-file --cpu-bufferize --verify-diagnostics

// Graph ops know no memory: they are lowered before.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{op was not bufferized}}
  %0 = qg.unary exp %x : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// Nor does arithmetic on whole tensors.
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{op was not bufferized}}
  %0 = arith.addf %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// The caller gives and takes memory: no scalars, no encodings.
// expected-error @+4 {{'func.func' op expects ranked tensors of plain elements as arguments and results}}
// expected-note @+3 {{argument 1 is i32}}
// expected-note @+2 {{argument 2 is tensor<*xf32>}}
// expected-note @+1 {{result 1 is f32}}
func.func @main(%x: tensor<4xf32>, %n: i32, %u: tensor<*xf32>) -> (tensor<4xf32>, f32) {
  %0 = arith.constant 1.0 : f32
  return %x, %0 : tensor<4xf32>, f32
}

// -----
// expected-error @+2 {{'func.func' op expects ranked tensors of plain elements as arguments and results}}
// expected-note @+1 {{argument 0 is tensor<4x!qg.q<si8, 5.000000e-01 : 0>>}}
func.func @main(%x: tensor<4x!qg.q<si8, 0.5 : 0>>) {
  return
}

// -----
// expected-error @+1 {{'func.func' op expects one block}}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^end
^end:
  return %x : tensor<4xf32>
}
