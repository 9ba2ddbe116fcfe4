// RUN: qopt-opt %s --split-input-file --convert-qg-to-linalg --cpu-bufferize | FileCheck %s

// The twin: a result that nothing else needs is computed in its buffer.
// CHECK-LABEL: func.func @main
// CHECK-NOT:   memref.alloc
// CHECK:       linalg.generic
// CHECK-NOT:   memref.copy
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = qg.unary relu %x : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// The caller's input is not written: what is returned as it came is copied.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  %[[X:[^:]*]]: memref<4xf32>, %[[Y:[^:]*]]: memref<4xf32>
// CHECK-NEXT:  memref.copy %[[X]], %[[Y]]
// CHECK-NEXT:  return
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----
// An op that would write over the input gets a buffer of its own.
// CHECK-LABEL: func.func @main
// CHECK-SAME:  %[[X:[^:]*]]: memref<4xf32>, %[[Y:[^:]*]]: memref<4xf32>
// CHECK-NOT:   outs(%[[X]]
// CHECK:       memref.copy %[[X]], %[[OWN:.*]] :
// CHECK:       linalg.generic {{.*}} outs(%[[OWN]]
#id = affine_map<(d0) -> (d0)>
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<4xf32>) {
  ^bb0(%out: f32):
    %sum = arith.addf %out, %out : f32
    linalg.yield %sum : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----
// A declaration has no body that could use buffers.
// CHECK-LABEL: func.func private @main(tensor<4xf32>) -> tensor<4xf32>
func.func private @main(tensor<4xf32>) -> tensor<4xf32>
