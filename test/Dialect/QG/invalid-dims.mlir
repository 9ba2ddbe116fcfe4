// RUN: qopt-opt %s -split-input-file -verify-diagnostics

// C1
// expected-error@+1 {{expects the name of a dimension that varies}}
func.func private @no_name(tensor<1x2xf32, #qg.dims<[_, _]>>)

// -----
// C2
// expected-error@+1 {{expects C identifiers as names of dimensions, got "past.seq"}}
func.func private @no_identifier(tensor<1x2xf32, #qg.dims<[_, past.seq]>>)

// -----
// C3
// expected-error@+1 {{expects a name or '_' for each of 2 dimensions, got 3}}
func.func private @rank(tensor<1x2xf32, #qg.dims<[_, seq, _]>>)

// -----
// C4
// expected-error@+1 {{expects one bound for the dimension "n", got 3 and 4}}
func.func private @bounds(tensor<3x4xf32, #qg.dims<[n, n]>>)

// -----
// expected-error@+1 {{expected '['}}
func.func private @no_list(tensor<3x4xf32, #qg.dims<seq>>)

// -----
// No op computes with lengths yet.
func.func @op(%x: tensor<1x2xf32, #qg.dims<[_, seq]>>) -> tensor<1x2xf32, #qg.dims<[_, seq]>> {
  // expected-error@+1 {{'qg.unary' op operand #0 must be tensor with a static shape and without an encoding such as #qg.dims}}
  %y = qg.unary exp %x : tensor<1x2xf32, #qg.dims<[_, seq]>> -> tensor<1x2xf32, #qg.dims<[_, seq]>>
  return %y : tensor<1x2xf32, #qg.dims<[_, seq]>>
}
