// RUN: qopt-opt %s --split-input-file --convert-qg-to-linalg --canonicalize --cse --cpu-bufferize --cpu-verify-results | FileCheck %s

// Each product is summed up in the buffer of its own result

// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[Y0:[^:]*]]: memref<2x4xf32> {qg.name = "y0"}, %[[Y1:[^:]*]]: memref<2x4xf32> {qg.name = "y1"}
// CHECK-NOT:     memref.alloc
// CHECK:         linalg.fill {{.*}} outs(%[[Y0]]
// CHECK-NEXT:    linalg.generic {{.*}} outs(%[[Y0]]
// CHECK:         linalg.fill {{.*}} outs(%[[Y1]]
// CHECK-NEXT:    linalg.generic {{.*}} outs(%[[Y1]]
// CHECK-NOT:     memref.copy
func.func @main(%t: tensor<2x3xf32>, %u: tensor<2x3xf32>, %v: tensor<3x4xf32>) -> (tensor<2x4xf32> {qg.name = "y0"}, tensor<2x4xf32> {qg.name = "y1"}) {
  %0 = qg.matmul %t, %v : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %1 = qg.matmul %u, %v : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// -----

// A value returned twice is computed in one of the two buffers

// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[Y0:[^:]*]]: memref<4xf32> {qg.name = "y0"}, %[[Y1:[^:]*]]: memref<4xf32> {qg.name = "y1"}
// CHECK-NOT:     memref.alloc
// CHECK:         linalg.generic {{.*}} outs(%[[Y0]]
// CHECK:         memref.copy %[[Y0]], %[[Y1]]
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32> {qg.name = "y0"}, tensor<4xf32> {qg.name = "y1"}) {
  %0 = qg.unary relu %x : tensor<4xf32> -> tensor<4xf32>
  return %0, %0 : tensor<4xf32>, tensor<4xf32>
}

// -----

// The later value continues the earlier one: only that is computed in its place

// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[LATE:[^:]*]]: memref<4xf32> {qg.name = "late"}, %[[EARLY:[^:]*]]: memref<4xf32> {qg.name = "early"}
// CHECK:         linalg.generic {{.*}} outs(%[[EARLY]]
// CHECK:         memref.copy %[[EARLY]], %[[OTHER:.*]] :
// CHECK:         linalg.generic {{.*}} outs(%[[OTHER]]
// CHECK:         memref.copy %[[OTHER]], %[[LATE]]
#id = affine_map<(d0) -> (d0)>
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32> {qg.name = "late"}, tensor<4xf32> {qg.name = "early"}) {
  %empty = tensor.empty() : tensor<4xf32>
  %early = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %sum = arith.addf %in, %in : f32
    linalg.yield %sum : f32
  } -> tensor<4xf32>
  %late = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%early : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %product = arith.mulf %in, %out : f32
    linalg.yield %product : f32
  } -> tensor<4xf32>
  return %late, %early : tensor<4xf32>, tensor<4xf32>
}
