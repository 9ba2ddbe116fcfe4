// RUN: qopt-opt %s "--pass-pipeline=builtin.module(func.func(qg-verify-assignment{bits=16}))" -verify-diagnostics

// Every op that does not fit is an error, not the first alone.
func.func @main(%x: tensor<1x2x!qg.q<ui8, 0.5 : 5>>) -> (tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x1xf32>) {
  %w = qg.constant dense<127> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.25 : 0>>
  // expected-error @+1 {{expects accumulators of 16 bits, 1 of 1 channels need up to 17}}
  %0 = qg.matmul %x, %w : (tensor<1x2x!qg.q<ui8, 0.5 : 5>>, tensor<2x1x!qg.q<si8, 0.25 : 0>>) -> tensor<1x1xf32>
  %v = qg.constant dense<[[127, 1], [127, 1]]> : tensor<2x2xi8> -> tensor<2x2x!qg.q<si8, 0.25 : 0>>
  // expected-error @+1 {{expects accumulators of 16 bits, 1 of 2 channels need up to 17}}
  %1 = qg.matmul %x, %v : (tensor<1x2x!qg.q<ui8, 0.5 : 5>>, tensor<2x2x!qg.q<si8, 0.25 : 0>>) -> tensor<1x2xf32>
  %u = qg.constant dense<1> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.25 : 0>>
  %2 = qg.matmul %x, %u : (tensor<1x2x!qg.q<ui8, 0.5 : 5>>, tensor<2x1x!qg.q<si8, 0.25 : 0>>) -> tensor<1x1xf32>
  return %0, %1, %2 : tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x1xf32>
}
