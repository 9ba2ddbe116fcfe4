// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qg-quantize-interface{drop-head=true}))' | FileCheck %s
// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qg-quantize-interface{integer-heads=true}))' | FileCheck %s

// The caller gets the floats back as well: they have to come in.
// CHECK-LABEL: func.func @also_returned(%arg0: tensor<4xf32>)
// CHECK: qg.quantize %arg0
// CHECK: return %arg0, %{{.*}} : tensor<4xf32>, tensor<4x!qg.q<si8, 5.000000e-01 : 0>>
func.func @also_returned(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = qg.quantize %x : tensor<4xf32> -> tensor<4x!qg.q<si8, 0.5 : 0>>
  %1 = qg.dequantize %0 : tensor<4x!qg.q<si8, 0.5 : 0>> -> tensor<4xf32>
  return %x, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----
// Something computes with the floats, behind a move.
// CHECK-LABEL: func.func @computed_with(%arg0: tensor<2x2xf32>)
// CHECK: %[[R:.*]] = qg.reshape %arg0 : tensor<2x2xf32> -> tensor<4xf32>
// CHECK: qg.quantize %arg0
// CHECK: qg.unary exp %[[R]]
func.func @computed_with(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<4xf32>) {
  %0 = qg.reshape %x : tensor<2x2xf32> -> tensor<4xf32>
  %1 = qg.quantize %x : tensor<2x2xf32> -> tensor<2x2x!qg.q<si8, 0.5 : 0>>
  %2 = qg.dequantize %1 : tensor<2x2x!qg.q<si8, 0.5 : 0>> -> tensor<2x2xf32>
  %3 = qg.unary exp %0 : tensor<4xf32> -> tensor<4xf32>
  return %2, %3 : tensor<2x2xf32>, tensor<4xf32>
}

// -----
// An encoding with a scale per channel is more than a caller is asked for.
// CHECK-LABEL: func.func @by_channel(%arg0: tensor<4x2xf32>) -> tensor<4x2xf32>
// CHECK: qg.quantize %arg0
// CHECK: %[[Y:.*]] = qg.dequantize
// CHECK: return %[[Y]]
!channels = !qg.q<si8, axis = 1, dense_resource<s> : tensor<2xf32>>
func.func @by_channel(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %0 = qg.quantize %x : tensor<4x2xf32> -> tensor<4x2x!channels>
  %1 = qg.dequantize %0 : tensor<4x2x!channels> -> tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}
{-# dialect_resources: { builtin: { s: "0x040000000000803F0000003F" } } #-}

// -----
// Indices are integers already, and who reads them wants those.
// CHECK-LABEL: func.func @indices(%arg0: tensor<3xi64>)
// CHECK-SAME: -> tensor<3x2x!qg.q<si8, 5.000000e-01 : 0>>
func.func @indices(%i: tensor<3xi64>) -> tensor<3x2xf32> {
  %t = qg.constant dense<1> : tensor<5x2xi8> -> tensor<5x2x!qg.q<si8, 0.5 : 0>>
  %0 = qg.gather %t, %i axis 0 : (tensor<5x2x!qg.q<si8, 0.5 : 0>>, tensor<3xi64>) -> tensor<3x2x!qg.q<si8, 0.5 : 0>>
  %1 = qg.dequantize %0 : tensor<3x2x!qg.q<si8, 0.5 : 0>> -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// -----
// A head of two tensors has no single one that could be handed out instead.
// CHECK-LABEL: func.func @two_tensors
// CHECK-SAME: -> tensor<4xf32>
// CHECK: %[[Y:.*]] = qg.binary add
// CHECK: return %[[Y]]
func.func @two_tensors(%x: tensor<4x!qg.q<si8, 0.5 : 0>>, %y: tensor<4x!qg.q<si8, 0.5 : 0>>) -> tensor<4xf32> {
  %0 = qg.dequantize %x : tensor<4x!qg.q<si8, 0.5 : 0>> -> tensor<4xf32>
  %1 = qg.dequantize %y : tensor<4x!qg.q<si8, 0.5 : 0>> -> tensor<4xf32>
  %2 = qg.binary add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----
// Nor has one that also depends on an input in floats.
// CHECK-LABEL: func.func @float_input
// CHECK-SAME: -> tensor<4xf32>
// CHECK: %[[Y:.*]] = qg.binary add
// CHECK: return %[[Y]]
func.func @float_input(%x: tensor<4x!qg.q<si8, 0.5 : 0>>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qg.dequantize %x : tensor<4x!qg.q<si8, 0.5 : 0>> -> tensor<4xf32>
  %1 = qg.binary add %0, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----
// A float model has no integers to hand out.
// CHECK-LABEL: func.func @floats(%arg0: tensor<4xf32>) -> tensor<4xf32>
// CHECK-NEXT: qg.softmax %arg0
// CHECK-NEXT: return
func.func @floats(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qg.softmax %x : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
