// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(fxp-hold-signed))' -verify-diagnostics

// Bytes in the body of a loop are not followed: all are refused by name.
func.func @main(%h: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // expected-error@unknown {{'first' (qg.loop): loops have no form on this target}}
  %0 = qg.loop 2 states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32> loc("first")
  // expected-error@unknown {{'second' (qg.loop): loops have no form on this target}}
  %1 = qg.loop 3 states(%h) slices() captures() reversed [] {
  ^bb0(%step: tensor<i64>, %s: tensor<4xf32>):
    qg.yield %s : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32> loc("second")
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}
