// RUN: qopt-opt %s --split-input-file "--pass-pipeline=builtin.module(func.func(qg-verify-assignment{annotate=true}))" | FileCheck %s

// Two weights of 127 and inputs up to 255 - 5 = 250: 63500 needs 17 bits.
// CHECK-LABEL: func @main
func.func @main(%x: tensor<1x2x!qg.q<ui8, 0.5 : 5>>) -> tensor<1x1xf32> {
  %w = qg.constant dense<127> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.25 : 0>>
  // CHECK: qg.matmul {{.*}} {qg.accumulator_bits = 17 : i64}
  %0 = qg.matmul %x, %w : (tensor<1x2x!qg.q<ui8, 0.5 : 5>>, tensor<2x1x!qg.q<si8, 0.25 : 0>>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// -----

// A bias of 8192 is 65536 units of 0.125: 63500 more needs 18 bits.
// CHECK-LABEL: func @main
func.func @main(%x: tensor<1x2x!qg.q<ui8, 0.5 : 5>>) -> tensor<1x1xf32> {
  %w = qg.constant dense<127> : tensor<2x1xi8> -> tensor<2x1x!qg.q<si8, 0.25 : 0>>
  %b = qg.constant dense<8192.0> : tensor<1xf32> -> tensor<1xf32>
  // CHECK: qg.matmul {{.*}} {qg.accumulator_bits = 18 : i64}
  %0 = qg.matmul %x, %w bias %b : (tensor<1x2x!qg.q<ui8, 0.5 : 5>>, tensor<2x1x!qg.q<si8, 0.25 : 0>>, tensor<1xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// -----

// A float op is no business of this pass.
// CHECK-LABEL: func @main
// CHECK-NOT: qg.accumulator_bits
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %w = qg.constant dense<127.0> : tensor<2x1xf32> -> tensor<2x1xf32>
  %0 = qg.matmul %x, %w : (tensor<1x2xf32>, tensor<2x1xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}
