// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qg-quantize-interface))' | FileCheck %s --check-prefixes=CHECK,KEEP
// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qg-quantize-interface{drop-head=true}))' | FileCheck %s --check-prefixes=CHECK,DROP
// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qg-quantize-interface{integer-heads=true}))' | FileCheck %s --check-prefixes=CHECK,HEAD

// Both ends lose their floats; the reshape moves integers.
// CHECK-LABEL: func.func @ends
// CHECK-SAME: (%arg0: tensor<1x4x!qg.q<si8, 5.000000e-01 : -3>> {qg.name = "x"})
// CHECK-SAME: -> (tensor<4x!qg.q<si8, 2.500000e-01 : 4>> {qg.name = "y"})
// CHECK-NOT: qg.quantize
// CHECK: qg.reshape %arg0 : tensor<1x4x!qg.q<si8, 5.000000e-01 : -3>> -> tensor<4x!qg.q<si8, 5.000000e-01 : -3>>
// CHECK-NOT: qg.dequantize
func.func @ends(%x: tensor<1x4xf32> {qg.name = "x"}) -> (tensor<4xf32> {qg.name = "y"}) {
  %0 = qg.reshape %x : tensor<1x4xf32> -> tensor<4xf32>
  %1 = qg.quantize %0 : tensor<4xf32> -> tensor<4x!qg.q<si8, 0.5 : -3>>
  %2 = qg.requantize %1 : tensor<4x!qg.q<si8, 0.5 : -3>> -> tensor<4x!qg.q<si8, 0.25 : 4>>
  %3 = qg.dequantize %2 : tensor<4x!qg.q<si8, 0.25 : 4>> -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

// A float head stays, or is the caller's.
// CHECK-LABEL: func.func @head
// KEEP: qg.dequantize
// KEEP: qg.softmax
// DROP-SAME: -> tensor<1x4x!qg.q<si8, 5.000000e-01 : 0>>
// DROP-NOT: qg.softmax
// HEAD-SAME: -> tensor<1x4x!qg.q<si8, 3.906250e-03 : -128>>
// HEAD: qg.softmax %arg0 : tensor<1x4x!qg.q<si8, 5.000000e-01 : 0>> -> tensor<1x4x!qg.q<si8, 3.906250e-03 : -128>>
func.func @head(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %1 = qg.quantize %x : tensor<1x4xf32> -> tensor<1x4x!qg.q<si8, 0.5 : 0>>
  %2 = qg.dequantize %1 : tensor<1x4x!qg.q<si8, 0.5 : 0>> -> tensor<1x4xf32>
  %3 = qg.softmax %2 : tensor<1x4xf32> -> tensor<1x4xf32>
  return %3 : tensor<1x4xf32>
}

// -----

// An argument in two encodings stays float; so does a head of two tensors.
// CHECK-LABEL: func.func @both(%arg0: tensor<4xf32>) -> tensor<4xf32>
// CHECK-COUNT-2: qg.quantize
// CHECK-COUNT-2: qg.dequantize
// CHECK: return %{{.*}} : tensor<4xf32>
func.func @both(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qg.quantize %x : tensor<4xf32> -> tensor<4x!qg.q<si8, 0.5 : 0>>
  %1 = qg.quantize %x : tensor<4xf32> -> tensor<4x!qg.q<si8, 0.25 : 0>>
  %2 = qg.dequantize %0 : tensor<4x!qg.q<si8, 0.5 : 0>> -> tensor<4xf32>
  %3 = qg.dequantize %1 : tensor<4x!qg.q<si8, 0.25 : 0>> -> tensor<4xf32>
  %4 = qg.binary add %2, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// -----

// A softmax of 16 bits has no integer form: its floats stay.
// CHECK-LABEL: func.func @wide_head
// KEEP: qg.softmax %{{.*}} : tensor<1x4xf32>
// HEAD-SAME: -> tensor<1x4xf32>
// HEAD: qg.softmax %{{.*}} : tensor<1x4xf32>
func.func @wide_head(%x: tensor<1x4x!qg.q<ui16, 0.5 : 0>>) -> tensor<1x4xf32> {
  %0 = qg.dequantize %x : tensor<1x4x!qg.q<ui16, 0.5 : 0>> -> tensor<1x4xf32>
  %1 = qg.softmax %0 : tensor<1x4xf32> -> tensor<1x4xf32>
  return %1 : tensor<1x4xf32>
}
