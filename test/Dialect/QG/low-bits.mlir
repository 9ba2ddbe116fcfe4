// RUN: qopt-opt %s -split-input-file -verify-diagnostics | FileCheck %s

// CHECK: tensor<4x64x!qg.q<lut2, axis = 0, group = 48, dense_resource<s> : tensor<8xf32>, table = [-127, 0, 43, 127]>>
func.func private @table(tensor<4x64x!qg.q<lut2, axis = 0, group = 48, dense_resource<s> : tensor<8xf32>, table = [-127, 0, 43, 127]>>)
// CHECK: tensor<4x!qg.q<ui3, axis = 0, dense_resource<a> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>
func.func private @uneven(tensor<4x!qg.q<ui3, axis = 0, dense_resource<a> : tensor<4xf32>, dense_resource<z> : tensor<4xi32>>>)
// CHECK: qg.dynamic_matmul
func.func @dynamic(%x: tensor<3x64xf32>, %w: tensor<64x4x!qg.q<si4, axis = 1, group = 32, dense_resource<s> : tensor<8xf32>>>) -> tensor<3x4xf32> {
  %y = qg.dynamic_matmul %x, %w : (tensor<3x64xf32>, tensor<64x4x!qg.q<si4, axis = 1, group = 32, dense_resource<s> : tensor<8xf32>>>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

{-# dialect_resources: { builtin: {
  s: "0x040000000000003f0000003f0000003f0000003f0000003f0000003f0000003f0000003f",
  a: "0x040000000000003f0000003f0000003f0000003f",
  z: "0x0400000000000000010000000200000003000000" } } #-}

// -----

// expected-error@+1 {{expects a table of 4 signed bytes, got 3}}
func.func private @short(tensor<4x!qg.q<lut2, axis = 0, dense_resource<s> : tensor<4xf32>, table = [-1, 0, 1]>>)

// -----

// expected-error@+1 {{expects a table for formats of codes and for no others, got format 'si4'}}
func.func private @needless(tensor<4x!qg.q<si4, axis = 0, dense_resource<s> : tensor<4xf32>, table = [-1, 0, 1, 2]>>)

// -----

func.func @groups(%x: tensor<3x64xf32>, %w: tensor<64x4x!qg.q<si4, axis = 1, group = 32, dense_resource<s> : tensor<4xf32>>>) -> tensor<3x4xf32> {
  // expected-error@+1 {{expects 2 scales per element of dimension 1, got 4}}
  %y = qg.dynamic_matmul %x, %w : (tensor<3x64xf32>, tensor<64x4x!qg.q<si4, axis = 1, group = 32, dense_resource<s> : tensor<4xf32>>>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

func.func @rounding(%x: tensor<4x64xf32>) {
  // expected-error@+1 {{expects one scale per tensor or channel and no table}}
  %y = qg.quantize %x : tensor<4x64xf32> -> tensor<4x64x!qg.q<si4, axis = 0, group = 32, dense_resource<s> : tensor<8xf32>>>
  return
}
