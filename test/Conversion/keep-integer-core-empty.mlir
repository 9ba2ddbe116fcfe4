// RUN: qopt-opt %s --fxp-keep-integer-core=drop-head --verify-diagnostics

// All is left to the caller.
// expected-error @+1 {{expects a result that is computed in integers, got none: all ops are float and left to the caller}}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = qg.softmax %x : tensor<4xf32> -> tensor<4xf32>
  return %y : tensor<4xf32>
}
