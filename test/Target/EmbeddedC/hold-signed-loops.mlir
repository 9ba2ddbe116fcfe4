// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(fxp-hold-signed))' -verify-diagnostics

// Bytes in the body of a loop are not followed: it is refused, not misread.
func.func @main(%h: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'qg.loop' op has no form on this target yet}}
  %0 = qg.loop 2 states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
