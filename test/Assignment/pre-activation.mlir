// RUN: qopt-opt %s --split-input-file --qg-assign-formats | FileCheck %s
// RUN: qopt-opt %s --split-input-file --qg-assign-formats --qg-apply-formats --qg-fold-qdq --canonicalize | FileCheck %s --check-prefix=FOLDED
// RUN: qopt-opt %s --split-input-file --qg-assign-formats=pre-activation=int8 --qg-apply-formats --qg-fold-qdq --canonicalize | FileCheck %s --check-prefix=TABLE
// RUN: not qopt-opt %s --split-input-file --qg-assign-formats=pre-activation=f16 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: expects pre-activation f32 or int8, got 'f16'

// A sigmoid alone reads the first matmul: the exact sum goes into it, and only
// its result is rounded. Where tables are asked for, both are.
// CHECK-LABEL: func @swish
// FOLDED-LABEL: func @swish
// TABLE-LABEL: func @swish
func.func @swish(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2xf32> -> tensor<1x2xf32>
  // FOLDED: qg.quantize %arg0
  // FOLDED: %[[M:.*]] = qg.matmul {{.*}} -> tensor<1x2xf32>
  // FOLDED-NEXT: %[[S:.*]] = qg.unary sigmoid %[[M]] : tensor<1x2xf32>
  // FOLDED-NEXT: %[[P:.*]] = qg.binary mul %[[M]], %[[S]] : (
  // FOLDED-NEXT: %[[Q:.*]] = qg.quantize %[[P]]
  // FOLDED-NEXT: qg.matmul %[[Q]]
  // TABLE: qg.matmul {{.*}} -> tensor<1x2x!qg.q<ui8, 0.00999999977 : 128>>
  // TABLE-NEXT: qg.dequantize
  %1 = qg.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  // CHECK: qg.observe "sum" {{.*}}#qg.format<f32, "the pointwise function that reads it rounds once">
  %2 = qg.observe "sum" %1 {qg.range = array<f64: -1.28, 1.27>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %3 = qg.unary sigmoid %2 : tensor<1x2xf32> -> tensor<1x2xf32>
  %4 = qg.binary mul %2, %3 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  // CHECK: qg.observe "swish" {{.*}}#qg.format<!qg.q<ui8, 5.000000e-03 : 56>>
  %5 = qg.observe "swish" %4 {qg.range = array<f64: -0.28, 0.995>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %6 = qg.matmul %5, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %6 : tensor<1x2xf32>
}

// -----

// Another matmul reads the sum as well: it is 8 bits for both.
// CHECK-LABEL: func @two_readers
// FOLDED-LABEL: func @two_readers
func.func @two_readers(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qg.constant dense<1.0> : tensor<2x2xf32> -> tensor<2x2xf32>
  %0 = qg.observe "x" %x {qg.range = array<f64: 0.0, 2.55>} : tensor<1x2xf32> -> tensor<1x2xf32>
  // FOLDED: %[[M:.*]] = qg.matmul {{.*}} -> tensor<1x2x!qg.q<ui8, 0.00999999977 : 128>>
  // FOLDED: %[[D:.*]] = qg.dequantize %[[M]]
  // FOLDED: qg.unary sigmoid %[[D]]
  // FOLDED: qg.matmul %[[M]]
  %1 = qg.matmul %0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  // CHECK: qg.observe "sum" {{.*}}#qg.format<!qg.q<ui8,
  %2 = qg.observe "sum" %1 {qg.range = array<f64: -1.28, 1.27>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %3 = qg.unary sigmoid %2 : tensor<1x2xf32> -> tensor<1x2xf32>
  %4 = qg.observe "gate" %3 {qg.range = array<f64: 0.0, 1.0>} : tensor<1x2xf32> -> tensor<1x2xf32>
  %5 = qg.matmul %2, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %6 = qg.matmul %4, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %5, %6 : tensor<1x2xf32>, tensor<1x2xf32>
}
